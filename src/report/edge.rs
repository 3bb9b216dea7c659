//! The edge of the program: the streams, whether they take colour, and how wide they are.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use terminal_size::terminal_size_of;

use crate::settings::{Color, Settings};

/// How many columns a line may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Width {
    /// The columns.
    pub columns: usize,
    /// Whether the reader is a terminal, which can show more than ASCII.
    pub is_terminal: bool,
}

/// Where no terminal says how wide it is.
const USUAL: usize = 120;

/// The two streams of a run. All style is written and stripped here where it is not wanted.
pub struct Edge {
    out: Lossy<Box<dyn Write>>,
    err: Lossy<AutoStream<io::Stderr>>,
    width: Width,
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
    /// The streams as the settings want them. Fails when the output file cannot be made.
    pub fn new(settings: &Settings) -> io::Result<Self> {
        let choice = choice(settings.color);
        let (out, width): (Box<dyn Write>, Width) = if let Some(path) = &settings.output_file {
            let choice = if settings.color == Color::Always {
                ColorChoice::Always
            } else {
                ColorChoice::Never
            };
            let file = AutoStream::new(Box::new(File::create(path)?) as Box<dyn Write>, choice);
            (
                Box::new(BufWriter::new(file)),
                Width {
                    columns: USUAL,
                    is_terminal: false,
                },
            )
        } else {
            let stdout = io::stdout();
            let width = width_of(&stdout);
            (Box::new(BufWriter::new(AutoStream::new(stdout, choice))), width)
        };
        Ok(Self {
            out: Lossy::new(out),
            err: Lossy::new(AutoStream::new(io::stderr(), choice)),
            width,
        })
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
