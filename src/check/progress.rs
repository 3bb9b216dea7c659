//! A progress bar for checks of more than half a second.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// After this time the bar is shown.
const PATIENCE: Duration = Duration::from_millis(500);

/// The bar, shared by all threads.
pub(crate) struct Progress {
    files: u64,
    done: AtomicU64,
    started: Instant,
    patience: Duration,
    screen: fn() -> ProgressDrawTarget,
    /// Made when first shown; most commits never need it.
    drawn: OnceLock<ProgressBar>,
}

impl Progress {
    /// A bar for so many files; shown only if `is_wanted`.
    pub(crate) fn new(files: usize, is_wanted: bool) -> Self {
        let patience = if is_wanted { PATIENCE } else { Duration::MAX };
        Self::on(ProgressDrawTarget::stderr, files, patience)
    }

    fn on(screen: fn() -> ProgressDrawTarget, files: usize, patience: Duration) -> Self {
        Self {
            files: u64::try_from(files).unwrap_or(u64::MAX),
            done: AtomicU64::new(0),
            started: Instant::now(),
            patience,
            screen,
            drawn: OnceLock::new(),
        }
    }

    /// One more file is done.
    pub(crate) fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.started.elapsed() >= self.patience {
            self.drawn.get_or_init(|| self.draw()).set_position(done);
        }
    }

    /// Clears the bar.
    pub(crate) fn finish(&self) {
        if let Some(drawn) = self.drawn.get() {
            drawn.finish_and_clear();
        }
    }

    fn draw(&self) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(self.files), (self.screen)());
        match ProgressStyle::with_template("{wide_bar} {pos}/{len} files checked") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
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
        let short = Progress::on(paper, 2, Duration::MAX);
        short.step();
        assert!(short.drawn.get().is_none());
        assert_eq!(*DRAWN.lock().unwrap(), "");
        let long = Progress::on(paper, 2, Duration::ZERO);
        long.step();
        long.drawn.get().unwrap().force_draw();
        assert!(DRAWN.lock().unwrap().contains("1/2 files checked"));
    }

    #[test]
    fn where_nobody_looks_there_is_none() {
        assert_eq!(Progress::new(7000, false).patience, Duration::MAX);
    }
}
