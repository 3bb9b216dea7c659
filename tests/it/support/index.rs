//! What a test changes in an index, byte by byte.

/// An index without its cached tree, as git wrote it before 1.7 and other programs still do. `None` where it has none, or is not
/// one of SHA-1.
///
/// A hash that was right is right again; one that was skipped or wrong stays as it was.
pub fn without_cached_tree(index: &[u8]) -> Option<Vec<u8>> {
    let (body, hash) = index.split_at_checked(index.len().checked_sub(20)?)?;
    let behind = |at: usize| {
        let size = body
            .get(at + 4..)?
            .first_chunk()
            .map(|size| u32::from_be_bytes(*size))?;
        Some(at + 8 + usize::try_from(size).unwrap()).filter(|&end| end <= body.len())
    };
    let leads_to_the_end = |at: &usize| {
        let mut at = *at;
        while let Some(end) = behind(at) {
            at = end;
        }
        at == body.len()
    };
    let mut places = (12..body.len().saturating_sub(7)).rev();
    let at = places.find(|at| body[*at..].starts_with(b"TREE") && leads_to_the_end(at))?;
    let rest = [&body[..at], &body[behind(at)?..]].concat();
    let is_right = sha1_smol::Sha1::from(body).digest().bytes() == hash;
    Some(if is_right {
        with_hash(&rest)
    } else {
        [rest.as_slice(), hash].concat()
    })
}

/// An index, whose last 20 bytes are missing, with the hash that it should have.
pub fn with_hash(body: &[u8]) -> Vec<u8> {
    [body, &sha1_smol::Sha1::from(body).digest().bytes()].concat()
}
