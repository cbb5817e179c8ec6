//! This file is where the kernel is asked how much processor and memory a process took, and where processes may run.

use std::fmt;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::failure::{Failure, Outcome};

/// Linux tells user space its processor times in hundredths of a second, whatever the kernel counts in.
const TICKS_A_SECOND: f64 = 100.0;

/// Tells cryptographic libraries which instructions they may use; whoever sets it measures another processor.
const CAPABILITIES: &str = "OPENSSL_ia32cap";

/// How the processor is made to look to cryptographic libraries, when it is.
pub(crate) fn masked() -> Option<String> {
    let mask = std::env::var(CAPABILITIES).ok().filter(|mask| !mask.is_empty());
    mask.map(|mask| format!("{CAPABILITIES}={mask}"))
}

/// Which cores the server and the raw signing have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// All of them, together with the generator.
    Shared,
    /// The first of those that this process may use; the generator has the second.
    Apart,
}

/// A core for the server and signing alone, and one for the generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parted {
    server: usize,
    generator: usize,
}

/// For a reader.
impl fmt::Display for Parted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the server on core {} and the load on core {}", self.server, self.generator)
    }
}

/// For a reader.
impl fmt::Display for Placement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared => out.write_str("all cores"),
            Self::Apart => write!(out, "server on core {}", servers_core()),
        }
    }
}

impl Placement {
    /// Threads that sign at once in this placement.
    pub(crate) fn cores(self) -> usize {
        match self {
            Self::Shared => cores(),
            Self::Apart => 1,
        }
    }

    /// A command that will run on these cores.
    pub(crate) fn command(self, program: &std::path::Path) -> Command {
        match self {
            Self::Shared => Command::new(program),
            Self::Apart => {
                let mut command = Command::new("taskset");
                command.args(["-c", &servers_core().to_string()]).arg(program);
                command
            }
        }
    }

    /// Moves this process, all threads, to the generator's cores.
    pub(crate) fn take_generators_cores(self) -> Outcome<()> {
        let list = match self {
            Self::Shared => allowed().iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            Self::Apart => {
                let parted = parted().map_err(|why| Failure::new("the load has no core of its own", why))?;
                parted.generator.to_string()
            }
        };
        let own = std::process::id().to_string();
        let mut command = Command::new("taskset");
        let done = command
            .args(["-a", "-c", "-p", &list, &own])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match done {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failure::new("taskset could not move the generator", status)),
            Err(why) => Err(Failure::new("taskset is missing (package util-linux)", why)),
        }
    }
}

/// Cores that this process may use at its start.
pub(crate) fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Which cores keep the generator off the server's here, or why none do.
pub(crate) fn parted() -> Result<Parted, &'static str> {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let two = first_two(allowed()).filter(|_| cores() >= 2);
    let parted = two.ok_or("this process may use one core only")?;
    let ask =
        || Command::new("taskset").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = *FOUND.get_or_init(|| ask().is_ok_and(|status| status.success()));
    found.then_some(parted).ok_or("taskset is missing (package util-linux)")
}

/// The numbers of the cores that this process may use at its start; none where the kernel does not tell.
fn allowed() -> &'static [usize] {
    static ALLOWED: OnceLock<Vec<usize>> = OnceLock::new();
    let read = || fs::read_to_string("/proc/self/status").ok();
    ALLOWED.get_or_init(|| read().and_then(|status| listed(&status)).unwrap_or_default())
}

/// The cores of a line like `Cpus_allowed_list: 2-3,8`.
fn listed(status: &str) -> Option<Vec<usize>> {
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let mut cores = Vec::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        cores.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    Some(cores)
}

fn first_two(cores: &[usize]) -> Option<Parted> {
    let [server, generator, ..] = *cores else {
        return None;
    };
    Some(Parted { server, generator })
}

/// Where the server and signing alone run when they are kept apart.
fn servers_core() -> usize {
    allowed().first().copied().unwrap_or_default()
}

/// Measures this process's share of the whole machine between two moments.
#[derive(Debug)]
pub(crate) struct OwnShare {
    since: Instant,
    ticks: f64,
}

impl OwnShare {
    pub(crate) fn start() -> Outcome<Self> {
        Ok(Self { since: Instant::now(), ticks: own_ticks()? })
    }

    /// Processor seconds taken, and the time that passed.
    pub(crate) fn taken(&self) -> Outcome<(f64, Duration)> {
        Ok(((own_ticks()? - self.ticks) / TICKS_A_SECOND, self.since.elapsed()))
    }
}

fn own_ticks() -> Outcome<f64> {
    ticks_of("self")
}

/// Processor seconds that a process has taken since its start, all threads.
pub(crate) fn seconds_of(pid: u32) -> Outcome<f64> {
    Ok(ticks_of(&pid.to_string())? / TICKS_A_SECOND)
}

/// Processor seconds of all children that were waited for.
pub(crate) fn seconds_of_ended() -> Outcome<f64> {
    let path = "/proc/self/stat";
    let text = fs::read_to_string(path).map_err(|why| Failure::new(path, why))?;
    let found = sum_of_two(&text, CHILDREN).ok_or_else(|| Failure::new(path, "it is not as proc(5) says"))?;
    Ok(found / TICKS_A_SECOND)
}

fn ticks_of(process: &str) -> Outcome<f64> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).map_err(|why| Failure::new(&path, why))?;
    sum_of_two(&text, OWN).ok_or_else(|| Failure::new(&path, "it is not as proc(5) says"))
}

/// Where user and system time stand behind the program's name: a process's own, and of children that it waited for.
const OWN: usize = 11;
const CHILDREN: usize = 13;

/// The sum of two fields of a `stat` line; the program's name, in brackets, may hold blanks.
fn sum_of_two(stat: &str, first: usize) -> Option<f64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace().skip(first);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Resident memory of a process, now and at most, in MB.
pub(crate) fn resident(pid: u32) -> Outcome<(f64, f64)> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).map_err(|why| Failure::new(&path, why))?;
    let megabytes = |name| kilobytes(&text, name).map(|kb| kb / 1024.0);
    match (megabytes("VmRSS:"), megabytes("VmHWM:")) {
        (Some(now), Some(most)) => Ok((now, most)),
        _ => Err(Failure::new(&path, "it names no VmRSS and VmHWM")),
    }
}

fn kilobytes(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_times_are_found_behind_a_name_with_blanks_and_brackets() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 30 3 20 0 1 0 0 0 0";
        assert_eq!(sum_of_two(stat, OWN), Some(300.0));
        assert_eq!(sum_of_two(stat, CHILDREN), Some(33.0));
        assert_eq!(sum_of_two("7 (a", OWN), None);
    }

    #[test]
    fn resident_memory_is_read_in_kilobytes() {
        let status = "Name:\tgatepost\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(10240.0));
        assert_eq!(kilobytes(status, "VmSwap:"), None);
    }

    #[test]
    fn apart_are_the_first_two_of_the_cores_that_may_be_used() {
        let status =
            |list: &str| format!("Cpus_allowed:\tff\nCpus_allowed_list:\t{list}\nMems_allowed:\t1\n");
        let of = |list| listed(&status(list)).expect("a list");
        assert_eq!(of("2-3,8"), [2, 3, 8]);
        assert_eq!(first_two(&of("2-3,8")), Some(Parted { server: 2, generator: 3 }));
        assert_eq!(first_two(&of("5,9")), Some(Parted { server: 5, generator: 9 }));
        assert_eq!(first_two(&of("7")), None, "one core can not be parted");
        assert_eq!((listed("Name:\tx\n"), listed(&status("x"))), (None, None));
        assert!(!allowed().is_empty(), "Linux tells");
    }

    #[test]
    fn the_own_process_has_a_size() {
        let (now, most) = resident(std::process::id()).expect("Linux tells");
        assert!(now > 0.0 && most >= now);
    }
}
