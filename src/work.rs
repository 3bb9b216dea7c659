//! Counts work in tests: looks at an operation, and bytes that are read again.
//!
//! A test compares the count for a file with that for one four times as large, which shows quadratic work without a clock.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// One step.
#[inline]
pub(crate) fn step() {
    steps(1);
}

/// Several steps.
#[inline]
#[cfg_attr(
    not(test),
    allow(unused_variables, clippy::missing_const_for_fn, reason = "counted in tests only")
)]
pub(crate) fn steps(count: usize) {
    #[cfg(test)]
    STEPS.with(|steps| steps.set(steps.get() + count));
}

/// The number of steps that a call takes on this thread.
#[cfg(test)]
pub(crate) fn counted(done: impl FnOnce()) -> usize {
    let before = STEPS.with(std::cell::Cell::get);
    done();
    STEPS.with(std::cell::Cell::get) - before
}
