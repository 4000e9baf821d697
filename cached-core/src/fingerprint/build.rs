//! Tells this build of the program apart from others.

use std::fs::File;
use std::io::{self, Read};
use std::sync::OnceLock;

/// A number that changes with the code, computed from the bytes of the executable. These are read once, and only if a
/// type needs the number.
pub(super) fn id() -> u64 {
    static ID: OnceLock<u64> = OnceLock::new();
    // If the executable cannot be read, a random number makes this process a build of its own.
    *ID.get_or_init(|| of_executable().unwrap_or_else(|_| getrandom::u64().unwrap_or(0)))
}

fn of_executable() -> io::Result<u64> {
    // By now the next build may stand under the executable's name; `/proc/self/exe` is the one that runs.
    let mut file = File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?))?;
    let (mut crc, mut len) = (crc32fast::Hasher::new(), 0);
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(len << 32 | u64::from(crc.finalize())),
            read => {
                crc.update(&block[..read]);
                len += read as u64;
            }
        }
    }
}
