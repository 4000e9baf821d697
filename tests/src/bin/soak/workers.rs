//! The processes, as their parent sees them.

use crate::said::{Counts, Said};
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// What all processes have said.
#[derive(Debug, Default)]
pub(crate) struct Heard {
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
    heard: Arc<Mutex<Heard>>,
}

impl Workers {
    /// Each is started with its number and its URL in front of the arguments.
    pub(crate) fn new(urls: Vec<String>, arguments: Vec<String>) -> Self {
        Self { urls, arguments, running: Vec::new(), heard: Arc::default() }
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
        let heard = Arc::clone(&self.heard);
        let listener = std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The last line of a killed process may be cut off.
                if let Ok(said) = serde_json::from_str(&line) {
                    heard.lock().unwrap_or_else(PoisonError::into_inner).hear(&said);
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

    /// Lets them come to rest.
    pub(crate) fn stop(mut self) -> Result<Heard, Box<dyn Error>> {
        for worker in &mut self.running {
            drop(worker.child.stdin.take());
        }
        let started = self.running.len() as u64;
        for mut worker in self.running.drain(..) {
            worker.child.wait()?;
            worker.listener.join().map_err(|_| "a listener has panicked")?;
        }
        let mut heard = std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        // One that has ended by itself.
        heard.errors += started - heard.done;
        Ok(heard)
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

impl Heard {
    fn hear(&mut self, said: &Said) {
        match said {
            Said::Counts(counts) => self.counts.add(counts),
            Said::Stale(_) => self.stale += 1,
            Said::OverBudget(_) => self.over_budget += 1,
            Said::Error(_) => self.errors += 1,
            Said::Done => self.done += 1,
        }
        let (count, text) = match said {
            Said::Stale(text) => (self.stale, format!("stale: {text}")),
            Said::OverBudget(text) => (self.over_budget, format!("over budget: {text}")),
            Said::Error(text) => (self.errors, format!("error: {text}")),
            Said::Counts(_) | Said::Done => return,
        };
        // The first of a kind tell enough.
        if count <= 10 {
            eprintln!("{text}");
        }
    }
}
