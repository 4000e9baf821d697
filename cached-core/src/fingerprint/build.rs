//! Tells this build of the program from others.

use std::fs::File;
use std::io::{self, Read};
use std::sync::OnceLock;

/// A number that changes with the code: of the bytes of the executable. Read once, and only if a type needs it.
pub(super) fn id() -> u64 {
    static ID: OnceLock<u64> = OnceLock::new();
    // An executable that cannot be read is like no other.
    *ID.get_or_init(|| of_executable().unwrap_or_else(|_| getrandom::u64().unwrap_or(0)))
}

fn of_executable() -> io::Result<u64> {
    // Under its name may stand the next build by now; this is the one that runs.
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
