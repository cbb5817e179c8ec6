//! This file is where /livez is asked a hundred times a second on a thread of its own, whatever else goes on.
//!
//! The loop is open: a question is due at its time even when earlier answers are missing, and its latency
//! counts from the time at which it was due. So a server that stops for a second shows a hundred slow answers.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use http::StatusCode;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use crate::connection::{Ask, Connection};
use crate::failure::{Failure, Outcome};

const INTERVAL: Duration = Duration::from_millis(10);
/// Questions without an answer at once; more than this many is a server that no longer lives.
const OUTSTANDING: usize = 256;

/// A prober at work.
#[derive(Debug)]
pub(crate) struct Prober {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Outcome<Vec<f64>>>,
}

impl Prober {
    pub(crate) fn start(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        Self { stop, thread: std::thread::spawn(move || on_own_thread(address, &told)) }
    }

    /// The latencies in milliseconds, one for each question.
    pub(crate) fn finish(self) -> Outcome<Vec<f64>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| Failure::new("the /livez prober", "its thread panicked"))?
    }
}

fn on_own_thread(address: SocketAddr, stop: &AtomicBool) -> Outcome<Vec<f64>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|why| Failure::new("the prober's runtime did not start", why))?;
    LocalSet::new().block_on(&runtime, probe(address, stop))
}

async fn probe(address: SocketAddr, stop: &AtomicBool) -> Outcome<Vec<f64>> {
    let idle = Rc::new(RefCell::new(vec![Connection::open(address).await?]));
    let (mut questions, mut latencies) = (JoinSet::new(), Vec::new());
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep_until(due).await;
        if questions.len() >= OUTSTANDING {
            return Err(Failure::new("/livez", format!("{OUTSTANDING} questions are without an answer")));
        }
        questions.spawn_local(question(address, Rc::clone(&idle), due));
        due += INTERVAL;
        while let Some(answered) = questions.try_join_next() {
            latencies.push(answered.map_err(|why| Failure::new("a question of the prober", why))??);
        }
    }
    while let Some(answered) = questions.join_next().await {
        latencies.push(answered.map_err(|why| Failure::new("a question of the prober", why))??);
    }
    Ok(latencies)
}

async fn question(address: SocketAddr, idle: Rc<RefCell<Vec<Connection>>>, due: Instant) -> Outcome<f64> {
    let kept = idle.borrow_mut().pop();
    let mut connection = match kept {
        Some(connection) => connection,
        None => Connection::open(address).await?,
    };
    let (status, _) = connection.ask(&Ask::Get("/livez".to_owned())).await?;
    if status != StatusCode::OK {
        return Err(Failure::new("/livez answered", status));
    }
    let milliseconds = due.elapsed().as_secs_f64() * 1e3;
    idle.borrow_mut().push(connection);
    Ok(milliseconds)
}
