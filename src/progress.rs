//! How far a long check is: a bar on the terminal, once the wait can be felt.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Who waits longer wants to know for what.
const PATIENCE: Duration = Duration::from_millis(500);

/// The bar. Threads share it.
pub(crate) struct Progress(Option<Bar>);

struct Bar {
    drawn: ProgressBar,
    screen: fn() -> ProgressDrawTarget,
    started: Instant,
    patience: Duration,
    is_shown: AtomicBool,
}

impl Progress {
    /// A bar for that many files; `is_wanted` only where somebody looks at standard error.
    pub(crate) fn new(files: usize, is_wanted: bool) -> Self {
        Self(is_wanted.then(|| Bar::new(files, ProgressDrawTarget::stderr, PATIENCE)))
    }

    /// One more file is done.
    pub(crate) fn step(&self) {
        if let Some(bar) = &self.0 {
            bar.step();
        }
    }

    /// Takes the bar away, so that the report stands alone.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.drawn.finish_and_clear();
        }
    }
}

impl Bar {
    fn new(files: usize, screen: fn() -> ProgressDrawTarget, patience: Duration) -> Self {
        let length = u64::try_from(files).unwrap_or(u64::MAX);
        Self {
            drawn: ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden()),
            screen,
            started: Instant::now(),
            patience,
            is_shown: AtomicBool::new(false),
        }
    }

    fn step(&self) {
        self.drawn.inc(1);
        if self.started.elapsed() >= self.patience && !self.is_shown.swap(true, Ordering::Relaxed) {
            if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} files checked") {
                self.drawn.set_style(style);
            }
            self.drawn.set_draw_target((self.screen)());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use indicatif::TermLike;

    use super::*;

    static DRAWN: Mutex<String> = Mutex::new(String::new());

    /// A terminal that keeps what was written.
    #[derive(Debug)]
    struct Paper;

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            60
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            DRAWN.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn paper() -> ProgressDrawTarget {
        ProgressDrawTarget::term_like(Box::new(Paper))
    }

    #[test]
    fn only_a_wait_that_is_felt_gets_a_bar() {
        let short = Bar::new(2, paper, Duration::MAX);
        short.step();
        short.drawn.finish_and_clear();
        assert_eq!(*DRAWN.lock().unwrap(), "");
        let long = Bar::new(2, paper, Duration::ZERO);
        long.step();
        long.drawn.force_draw();
        assert!(DRAWN.lock().unwrap().contains("1/2 files checked"));
    }

    #[test]
    fn where_nobody_looks_there_is_none() {
        let none = Progress::new(7000, false);
        none.step();
        assert!(none.0.is_none());
    }
}
