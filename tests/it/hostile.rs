//! What a repository can do to its reader: steer the terminal, have its own programs run, lead out of itself, or be no good.

mod damage;
mod links;
mod programs;
mod terminal;
