//! The cost of a cached call, next to hand-written code and to other crates: see `benches/README.md`.

mod cases;
mod counting;
mod options;
mod random;
mod report;
mod rounds;
mod scale;
mod server;
mod smoke;
mod subjects;
mod table;
mod targets;
mod user;

use crate::options::{Options, USAGE};
use crate::report::Report;
use crate::server::RedisServer;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::NoServer(problem)) => {
            eprintln!("no server to measure against: {problem}");
            ExitCode::from(3)
        }
        Err(Failure::Other(problem)) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

enum Failure {
    NoServer(server::ServerError),
    Other(String),
}

fn run(options: &Options) -> Result<(), Failure> {
    let mut report = match &options.from {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| error.to_string())
            .and_then(|text| Report::recorded(&text))
            .map_err(|problem| Failure::Other(format!("{}: {problem}", file.display())))?,
        None => Report::default(),
    };
    if !options.cases.is_empty() {
        measure(options, &mut report)?;
    }
    if options.smoke {
        smoke::check(&options.cases, report.lines()).map_err(Failure::Other)?;
    }
    if options.table {
        print!("{}", table::markdown(report.lines()));
    }
    if options.write_table {
        table::write(report.lines()).map_err(Failure::Other)?;
    }
    Ok(())
}

fn measure(options: &Options, report: &mut Report) -> Result<(), Failure> {
    let server = RedisServer::start().map_err(Failure::NoServer)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores)
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(format!("no runtime: {error}")))?;
    runtime.block_on(async {
        for case in &options.cases {
            for line in case.run(&server, &options.scale).await {
                report.print(line);
            }
        }
    });
    Ok(())
}
