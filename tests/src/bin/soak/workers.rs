//! The processes, as their parent sees them.

use crate::said::{Counts, Message};
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// The sums of what all processes have reported.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) counts: Counts,
    pub(crate) stale: u64,
    pub(crate) over_budget: u64,
    pub(crate) errors: u64,
    pub(crate) done: u64,
}

struct Worker {
    process: u64,
    child: Child,
    listener: JoinHandle<()>,
}

pub(crate) struct Workers {
    urls: Vec<String>,
    arguments: Vec<String>,
    running: Vec<Worker>,
    totals: Arc<Mutex<Totals>>,
}

impl Workers {
    /// Each process gets its number and its URL before the arguments.
    pub(crate) fn new(urls: Vec<String>, arguments: Vec<String>) -> Self {
        Self { urls, arguments, running: Vec::new(), totals: Arc::default() }
    }

    pub(crate) fn start(&mut self, process: u64) -> Result<(), Box<dyn Error>> {
        let url = self.urls.get(usize::try_from(process)?).ok_or("no such process")?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--process", &process.to_string(), url])
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = BufReader::new(child.stdout.take().ok_or("the process has no output")?);
        let totals = Arc::clone(&self.totals);
        let listener = std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The last line of a killed process may be cut off.
                if let Ok(said) = serde_json::from_str(&line) {
                    totals.lock().unwrap_or_else(PoisonError::into_inner).hear(&said);
                }
            }
        });
        self.running.push(Worker { process, child, listener });
        Ok(())
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, process: u64) -> Result<(), Box<dyn Error>> {
        let at = self.running.iter().position(|worker| worker.process == process).ok_or("no such process")?;
        let mut worker = self.running.swap_remove(at);
        worker.child.kill()?;
        worker.child.wait()?;
        worker.listener.join().map_err(|_| "the listener has panicked")?;
        Ok(())
    }

    /// Lets the processes come to rest.
    pub(crate) fn stop(mut self) -> Result<Totals, Box<dyn Error>> {
        for worker in &mut self.running {
            drop(worker.child.stdin.take());
        }
        let started = self.running.len() as u64;
        for mut worker in self.running.drain(..) {
            worker.child.wait()?;
            worker.listener.join().map_err(|_| "a listener has panicked")?;
        }
        let mut totals = std::mem::take(&mut *self.totals.lock().unwrap_or_else(PoisonError::into_inner));
        // A process that has ended by itself is an error.
        totals.errors += started - totals.done;
        Ok(totals)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &mut self.running {
            let _ = worker.child.kill();
            let _ = worker.child.wait();
        }
    }
}

impl Totals {
    fn hear(&mut self, said: &Message) {
        match said {
            Message::Counts(counts) => self.counts.add(counts),
            Message::Stale(_) => self.stale += 1,
            Message::OverBudget(_) => self.over_budget += 1,
            Message::Error(_) => self.errors += 1,
            Message::Done => self.done += 1,
        }
        let (count, text) = match said {
            Message::Stale(text) => (self.stale, format!("stale: {text}")),
            Message::OverBudget(text) => (self.over_budget, format!("over budget: {text}")),
            Message::Error(text) => (self.errors, format!("error: {text}")),
            Message::Counts(_) | Message::Done => return,
        };
        // The first of each kind say enough.
        if count <= 10 {
            eprintln!("{text}");
        }
    }
}
