//! Cuts long lines to the part around the markers.

use std::borrow::Cow;
use std::ops::Range;

/// A line of more bytes than this is cut.
const LONGEST: usize = 500;

/// How many bytes are shown before the first marker and after the last.
const AROUND: usize = 100;

/// Stands for what is left out.
const LEFT_OUT: &str = "\u{2026}";

/// A text with its long lines cut, which maps places of the whole to places of what is shown.
pub(super) struct Window<'t> {
    pub(super) text: Cow<'t, str>,
    /// What is shown: where it stands in the whole, and where it begins in what is shown.
    parts: Vec<(Range<usize>, usize)>,
}

impl<'t> Window<'t> {
    /// The text around some places.
    pub(super) fn around(text: &'t str, places: &[Range<usize>]) -> Self {
        if text.len() <= LONGEST || text.split_inclusive('\n').all(|line| line.len() <= LONGEST) {
            let parts = vec![(0..text.len(), 0)];
            return Self {
                text: Cow::Borrowed(text),
                parts,
            };
        }
        let mut shown = String::new();
        let mut parts = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let end = start + line.len();
            let kept = kept(text, start..end, places);
            if start < kept.start {
                shown.push_str(LEFT_OUT);
            }
            parts.push((kept.clone(), shown.len()));
            shown.push_str(text.get(kept.clone()).unwrap_or_default());
            if kept.end < end {
                shown.push_str(LEFT_OUT);
                shown.push('\n');
            }
            start = end;
        }
        Self {
            text: Cow::Owned(shown),
            parts,
        }
    }

    pub(super) const fn is_cut(&self) -> bool {
        matches!(self.text, Cow::Owned(_))
    }

    /// Maps a place to what is shown of it; nothing if its start is cut.
    pub(super) fn inside(&self, place: &Range<usize>) -> Option<Range<usize>> {
        let start = self.shown(place.start)?;
        let end = self.shown(place.end).unwrap_or_else(|| self.end_of_part(place.start));
        Some(start..end.max(start))
    }

    fn part(&self, at: usize) -> Option<&(Range<usize>, usize)> {
        let after = self.parts.partition_point(|(whole, _)| whole.start <= at);
        self.parts.get(after.checked_sub(1)?)
    }

    fn shown(&self, at: usize) -> Option<usize> {
        let (whole, shown) = self.part(at).filter(|(whole, _)| at <= whole.end)?;
        Some(shown + at - whole.start)
    }

    fn end_of_part(&self, at: usize) -> usize {
        self.part(at).map_or(0, |(whole, shown)| shown + whole.len())
    }
}

/// What is shown of a line: all of a short one, else the markers that are near the first.
fn kept(text: &str, line: Range<usize>, places: &[Range<usize>]) -> Range<usize> {
    if line.len() <= LONGEST {
        return line;
    }
    let own = places.iter().filter(|place| line.contains(&place.start));
    let first = own.clone().map(|place| place.start).min().unwrap_or(line.start);
    let ends = own.filter(|place| place.start < first + LONGEST - AROUND);
    let last = ends.map(|place| place.end).max().unwrap_or(first);
    let last = last.min(first + LONGEST - AROUND);
    let start = first.saturating_sub(AROUND).max(line.start);
    let end = (last + AROUND).min(line.end);
    floor(text, start)..floor(text, end)
}

/// The start of the character at a byte.
fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_shown_around_its_markers() {
        let text = format!("a\n{}x{}\nb\n", "ä".repeat(100_000), "c".repeat(1_000_000));
        let x = text.find('x').unwrap();
        let window = Window::around(&text, &[x..x + 1, x + 5..x + 900_000]);
        assert!(window.is_cut() && window.text.len() < 3 * LONGEST, "{}", window.text.len());
        let inside = window.inside(&(x..x + 1)).unwrap();
        assert_eq!(&window.text[inside], "x");
        let wide = window.inside(&(x + 5..x + 900_000)).unwrap();
        assert!(window.text[wide].chars().all(|letter| letter == 'c'));
        assert_eq!(window.inside(&(x + 500_000..x + 500_001)), None);
        assert!(window.text.starts_with("a\n\u{2026}ä"), "{}", window.text);
        assert!(window.text.ends_with("c\u{2026}\nb\n"), "{}", window.text);
        let lines = |text: &str| text.matches('\n').count();
        assert_eq!(lines(&window.text), lines(&text));
    }

    #[test]
    fn a_text_of_short_lines_is_left_as_it_is() {
        let text = "abc\n".repeat(1000);
        let window = Window::around(&text, &[4..7, 9..9]);
        assert!(!window.is_cut());
        assert_eq!(window.inside(&(4..7)), Some(4..7));
    }
}
