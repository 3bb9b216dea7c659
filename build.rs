//! Puts GCC's unwinder into the program instead of loading it at each start.
//!
//! Rust's standard library asks the linker for `libgcc_s`. Loading that library takes a sixteenth of an ordinary check (measured): above all, its
//! constructor asks the processor what it is, which a virtual machine answers slowly. Each GCC has the same code as an archive, which
//! `gcc -static-libgcc` would take if `libgcc_s` were not asked for by its name. So the name is given to the archives here, in a folder that
//! the linker looks into first. Where they are not found, the library is loaded as before.
//!
//! GCC 12 and later look the tables up with a function of glibc 2.35, so a program built on such a system needs that; Rust's own needs 2.34 there.
//! Those of a release are built on older ones (docs/releasing.md).

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
        let [unwinder, helpers] = archives.map(|path| path.display().to_string());
        // They are in a folder of the compiler's version, and an upgrade takes them away.
        println!("cargo::rerun-if-changed={unwinder}\ncargo::rerun-if-changed={helpers}");
        // A linker script, as the `libgcc_s.so` of Debian is one.
        let script = format!("GROUP ( \"{unwinder}\" \"{helpers}\" )\n");
        fs::write(folder.join("libgcc_s.so"), script)?;
        println!("cargo::rustc-link-search=native={}", folder.display());
    }
    Ok(())
}

/// Another system's archives are elsewhere, and its compiler is not the one that is asked here; nor is that of a 32-bit target on a 64-bit
/// system, which takes another option.
fn is_native_gnu() -> bool {
    let is = |name: &str, values: &[&str]| env::var(name).is_ok_and(|is| values.contains(&is.as_str()));
    is("CARGO_CFG_TARGET_OS", &["linux"])
        && is("CARGO_CFG_TARGET_ENV", &["gnu"])
        && is("CARGO_CFG_TARGET_ARCH", &["x86_64", "aarch64"])
        && is("CARGO_CFG_TARGET_POINTER_WIDTH", &["64"])
        && env::var("HOST") == env::var("TARGET")
}

/// The unwinder, and what it needs of the compiler.
fn archives() -> Option<[PathBuf; 2]> {
    Some([archive("libgcc_eh.a")?, archive("libgcc.a")?])
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
