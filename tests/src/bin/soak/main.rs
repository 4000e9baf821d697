//! The soak: two processes read and write versioned rows through the attributes while the server and the processes
//! themselves fail. No read may be older than a write that was complete when the read began.

mod address;
mod faults;
mod oracle;
mod pair;
mod process;
mod random;
mod rows;
mod said;
mod without;
mod workers;

use faults::Fault;
use oracle::Oracle;
use pair::Pair;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use without::Safeguard;

const HELP: &str = "\
soak [--seconds N] [--faults NAME,..] [--without lease|bracket|fence]

Two processes with four tasks each read and write rows in SQLite through `redis_cached`, `redis_invalidate` (bracket and
after) and `redis_put`. Meanwhile their own redis-server is frozen, killed and started empty, flushed, evicted, replaced by
its replica, and loses keys and connections; the processes are killed between commit and END, and started again.

Last line: reads=N writes=N faults=N stale=0 errors=0 over_budget=0
Exit code: 0 if the last three are 0, else 1.

stale        Reads that returned an older version than that of a write which was complete when they began. A write is
             complete when its invalidation was Applied; for the process that wrote it also when it was Queued, and for
             all once the queue was drained. The write of a killed process is complete when its marker's time (1 s) is
             over, unless the server lost its markers meanwhile (restart, FLUSHALL, eviction, failover).
             A read that overlaps a failover must see what was complete when the failover began: it may miss what the
             failover has lost. The failover lasts from before the first command that may be lost until 2 s after the
             old primary has stopped taking writes (a beat of 1 s, and 1 s for a busy machine). From then on every read
             must see all that was ever complete, the lost writes too, because their processes live: none is killed
             during a failover. In a third of the failovers one process makes no calls from before the switch until 1 s
             later than that, so only its beat can remove again what was lost. In another third one process only reads
             what it has read before, so no refused write shows it that its server has become a replica.
errors       Reads and writes that failed, invalidations that ended as Failed or not at all, queues that did not drain.
             A write that is refused because its bracket cannot begin is not an error.
over_budget  Calls that took longer, beside the function's own work, than the budget (100 ms, and a tenth of it for the
             last step), plus for reads twice `max_wait` (50 ms: for another call's load, and for a place among the
             loads without a store), plus 100 ms for the scheduler, plus the lateness of a timer of the same process.

--seconds    how long faults are caused (60)
--faults     only these (all):
             freeze    the server is frozen for up to 320 ms
             cut       all its connections are closed
             restart   it is killed, and started empty
             flush     FLUSHALL
             evict     it evicts all its keys
             delete    ten keys are deleted
             kill      a process is killed between commit and END, and started again
             failover  its replica replaces it, in three of four cases without the last 20 to 320 ms; the old primary
                       is killed, frozen and killed, made a replica, or made a replica that cannot reach its primary
                       and serves old values for ever. Some connections are closed
--without    leaves a safeguard out, by a store around the real one; stale must then not be 0:
             lease    the lease stands beside the register, where no invalidation revokes it
             bracket  BEGIN does nothing
             fence    FILL overwrites whatever the register holds
";

/// The faults by default.
const FAULTS: &str = "freeze,cut,restart,flush,evict,delete,kill,failover";

enum Task {
    Help,
    Soak { seconds: u64, faults: Vec<Fault>, without: Option<String> },
    Process { number: u64, url: String, directory: String, without: Option<Safeguard> },
}

fn parse(arguments: &[String]) -> Result<Task, String> {
    if let [flag, number, url, directory, without @ ..] = arguments
        && flag == "--process"
    {
        let number = number.parse().map_err(|_| "not a number")?;
        let without = without.first().and_then(|name| Safeguard::named(name));
        return Ok(Task::Process { number, url: url.clone(), directory: directory.clone(), without });
    }
    let (mut seconds, mut faults, mut without) = (60, Fault::named(FAULTS), None);
    for pair in arguments.chunks(2) {
        match pair {
            [flag, value] if flag == "--seconds" => seconds = value.parse().map_err(|_| "--seconds takes a number")?,
            [flag, value] if flag == "--without" && Safeguard::named(value).is_some() => without = Some(value.clone()),
            [flag, value] if flag == "--faults" => faults = Fault::named(value),
            [flag, ..] if flag == "--help" => return Ok(Task::Help),
            _ => return Err(HELP.to_owned()),
        }
    }
    let faults = faults.ok_or(HELP)?;
    Ok(Task::Soak { seconds, faults, without })
}

async fn soak(seconds: u64, kinds: Vec<Fault>, without: Option<String>) -> Result<bool, Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let path = |name: &str| directory.path().join(name);
    let pool = rows::open(&path("rows.db")).await?;
    rows::create(&pool, oracle::ROWS).await?;
    let pair = Pair::start(kinds.contains(&Fault::Failover)).await?;
    let arguments = [directory.path().display().to_string()].into_iter().chain(without).collect();
    let mut workers = workers::Workers::new(pair.urls(), arguments);
    let mut faults = faults::Faults::new(pair, kinds, Oracle::open(&path("oracle"))?);
    for process in 0..oracle::PROCESSES {
        workers.start(process)?;
    }
    faults.run(&mut workers, Instant::now() + Duration::from_secs(seconds)).await?;
    let totals = tokio::task::spawn_blocking(move || workers.stop().map_err(|error| error.to_string())).await??;
    let counts = totals.counts;
    println!(
        "{} hits, {} writes queued, {} refused, {} cancelled; {} failovers, {} reads during one",
        counts.hits, counts.queued, counts.refused, counts.cancelled, faults.failovers, counts.in_failover
    );
    println!(
        "reads={} writes={} faults={} stale={} errors={} over_budget={}",
        counts.reads, counts.writes, faults.count, totals.stale, totals.errors, totals.over_budget
    );
    Ok(totals.stale == 0 && totals.errors == 0 && totals.over_budget == 0)
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match parse(&arguments)? {
        Task::Help => print!("{HELP}"),
        Task::Process { number, url, directory, without } => {
            process::run(number, &url, Path::new(&directory), without).await?;
        }
        Task::Soak { seconds, faults, without } => {
            return Ok(if soak(seconds, faults, without).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}
