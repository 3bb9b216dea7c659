//! Puts GCC's unwinder into the program instead of loading it at each start.
//!
//! Rust's standard library asks the linker for `libgcc_s`. Loading that library takes a sixteenth of an ordinary check (measured): above all, its
//! constructor asks the processor what it is, which a virtual machine answers slowly. Each GCC has the same code as an archive, which
//! `gcc -static-libgcc` would take if `libgcc_s` were not asked for by its name. So the name is given to the archives here, in a folder that
//! the linker looks into first. Where they are not found, the library is loaded as before.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    if let (true, Some(archives)) = (is_native_gnu(), archives())
        && let Some(folder) = env::var_os("OUT_DIR")
    {
        let folder = Path::new(&folder);
        // A linker script, as the `libgcc_s.so` of Debian is one.
        fs::write(folder.join("libgcc_s.so"), format!("GROUP ( {archives} )\n"))?;
        println!("cargo::rustc-link-search=native={}", folder.display());
    }
    Ok(())
}

/// Another system's archives are elsewhere, and its compiler is not the one that is asked here.
fn is_native_gnu() -> bool {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|is| is == value);
    is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && env::var("HOST") == env::var("TARGET")
}

/// The paths of the archives in quotes, if both are there.
fn archives() -> Option<String> {
    let paths = [archive("libgcc_eh.a")?, archive("libgcc.a")?];
    Some(paths.map(|path| format!("\"{}\"", path.display())).join(" "))
}

/// Where the compiler that links has a library of its own; it answers with the bare name where it has none.
fn archive(name: &str) -> Option<PathBuf> {
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let output = Command::new(linker)
        .arg(format!("-print-file-name={name}"))
        .output()
        .ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end());
    path.is_absolute().then_some(path).filter(|path| path.is_file())
}
