//! A running `git cat-file --batch`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::GitError;
use super::command::Caller;
use crate::snapshot::ObjectId;

pub(super) struct Batch {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

pub(super) enum Reply {
    Content(Vec<u8>),
    Missing,
    TooLarge(u64),
    /// It gave up: an object is damaged, or may not be fetched (before 2.44).
    Ended,
    Other,
}

impl Batch {
    pub(super) const COMMAND: [&'static str; 2] = ["cat-file", "--batch"];

    pub(super) fn start(caller: &Caller) -> Result<Self, GitError> {
        let mut command = caller.command(&Self::COMMAND)?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| caller.not_started(error))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(caller.failed(&Self::COMMAND, "it has no pipes"));
        };
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// One object: `<id> <type> <size>`, its bytes and a line end (git-cat-file, "Batch output").
    pub(super) fn ask(&mut self, id: &ObjectId, limit: u64) -> io::Result<Reply> {
        self.input.write_all(format!("{id}\n").as_bytes())?;
        let mut head = String::new();
        self.output.read_line(&mut head)?;
        let mut words = head.split_whitespace().skip(1);
        let (kind, size) = (words.next().unwrap_or_default(), words.next().and_then(|size| size.parse::<u64>().ok()));
        match (kind, size) {
            ("blob", Some(size)) if size > limit => Ok(Reply::TooLarge(size)),
            ("blob", Some(size)) => {
                let mut content = Vec::new();
                (&mut self.output)
                    .take(size.saturating_add(1))
                    .read_to_end(&mut content)?;
                let is_whole = content.len() as u64 == size.saturating_add(1) && content.pop() == Some(b'\n');
                if is_whole {
                    Ok(Reply::Content(content))
                } else {
                    Err(io::Error::other("it ended early"))
                }
            }
            ("missing", _) => Ok(Reply::Missing),
            ("", _) => Ok(Reply::Ended),
            _ => Ok(Reply::Other),
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // Waiting alone could last forever where it still has something to send; both can only fail if it is gone
        // already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
