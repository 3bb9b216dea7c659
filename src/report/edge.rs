//! The edge of the program: the streams, whether they take colour, and how wide they are.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use anstream::stream::{AsLockedWrite, RawStream};
use anstream::{AutoStream, ColorChoice};
use terminal_size::terminal_size_of;

use crate::escape::Screen;
use crate::settings::Color;

/// How many columns a line may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Width {
    /// The columns.
    pub columns: usize,
    /// Whether the reader is a terminal, which can show more than ASCII.
    pub is_terminal: bool,
}

impl Width {
    /// What standard output takes.
    #[must_use]
    pub fn of_standard_output() -> Self {
        width_of(&io::stdout())
    }
}

/// Where no terminal says how wide it is.
const USUAL: usize = 120;

/// The two streams of a run. All style is written and stripped here where it is not wanted.
pub struct Edge {
    out: Lossy<Box<dyn Write>>,
    err: Lossy<Screen<AutoStream<io::Stderr>>>,
    width: Width,
    pub(super) is_coloured: bool,
}

/// Standard output for what has no findings in it.
#[must_use]
pub fn standard_output() -> Screen<AutoStream<io::Stdout>> {
    Screen::new(anstream::stdout())
}

/// Standard error for a failure that ends the run.
#[must_use]
pub fn standard_error() -> Screen<AutoStream<io::Stderr>> {
    Screen::new(anstream::stderr())
}

/// Makes `--color` hold for all that is printed, also where a run fails.
pub fn use_color(color: Color) {
    choice(color).write_global();
}

const fn choice(color: Color) -> ColorChoice {
    match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
}

impl Edge {
    /// The streams; findings, or a diff, go to a file if one is named. Fails when it cannot be made.
    pub fn new(color: Color, output_file: Option<&Path>, is_diff: bool) -> io::Result<Self> {
        let choice = choice(color);
        // A program gets a diff as it is, to the byte.
        let (out, width, is_coloured) = if let Some(path) = output_file {
            let file = File::create(path)?;
            let is_coloured = color == Color::Always;
            let width = Width {
                columns: USUAL,
                is_terminal: false,
            };
            (styled(Box::new(file) as Box<dyn Write>, is_coloured, is_diff && !is_coloured), width, is_coloured)
        } else {
            let stdout = io::stdout();
            let width = width_of(&stdout);
            let is_coloured = match choice {
                ColorChoice::Auto => AutoStream::choice(&stdout) != ColorChoice::Never,
                choice => choice != ColorChoice::Never,
            };
            let is_verbatim = is_diff && !is_coloured && !width.is_terminal;
            (styled(stdout, is_coloured, is_verbatim), width, is_coloured)
        };
        Ok(Self {
            out: Lossy::new(out),
            err: Lossy::new(Screen::new(AutoStream::new(io::stderr(), choice))),
            width,
            is_coloured,
        })
    }

    /// Whether a person reads the findings, as far as can be told.
    pub(super) fn is_seen(&self) -> bool {
        self.is_coloured || self.width.is_terminal
    }

    /// How wide standard output is.
    #[must_use]
    pub fn width(&self) -> Width {
        self.width
    }

    /// For findings.
    pub fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// For progress, hints and failures; what was written for findings comes first.
    pub fn err(&mut self) -> io::Result<&mut dyn Write> {
        self.out.flush()?;
        Ok(&mut self.err)
    }
}

fn styled<S: RawStream + AsLockedWrite + 'static>(stream: S, is_coloured: bool, is_verbatim: bool) -> Box<dyn Write> {
    let choice = if is_coloured {
        ColorChoice::Always
    } else {
        ColorChoice::Never
    };
    if is_verbatim {
        Box::new(BufWriter::new(stream))
    } else {
        Box::new(Screen::new(BufWriter::new(AutoStream::new(stream, choice))))
    }
}

/// A stream whose reader may leave, which is the reader's choice: what was found still decides how the run ends.
struct Lossy<W> {
    stream: W,
    is_closed: bool,
}

impl<W: Write> Lossy<W> {
    const fn new(stream: W) -> Self {
        Self {
            stream,
            is_closed: false,
        }
    }

    fn unless_closed<T>(&mut self, instead: T, write: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.is_closed {
            return Ok(instead);
        }
        match write(&mut self.stream) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(instead)
            }
            answer => answer,
        }
    }
}

impl<W: Write> Write for Lossy<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(bytes.len(), |stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed((), Write::flush)
    }
}

fn width_of(stdout: &io::Stdout) -> Width {
    let is_terminal = stdout.is_terminal();
    let measured = terminal_size_of(stdout).map(|(width, _)| usize::from(width.0));
    let told = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    Width {
        columns: measured.or_else(told).filter(|columns| *columns >= 20).unwrap_or(USUAL),
        is_terminal,
    }
}
