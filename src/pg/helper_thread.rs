//! A second thread for work on plain bytes: hashing and compressing, while this backend's own thread
//! scans and writes. It must never call PostgreSQL.

use std::mem::MaybeUninit;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::error::{Error, Result};

/// The thread. Jobs are done in the order in which they were given, and so come the results.
pub struct HelperThread<Job, Done> {
    jobs: Option<Sender<Job>>,
    results: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
    waiting: usize,
}

// glibc's; pgrx binds no signal mask functions. 128 bytes on every Linux, less elsewhere.
type SignalSet = [u64; 16];

const SIG_SETMASK: i32 = if cfg!(target_os = "linux") { 2 } else { 3 };

unsafe extern "C" {
    fn sigfillset(set: *mut SignalSet) -> i32;
    fn pthread_sigmask(how: i32, set: *const SignalSet, old: *mut SignalSet) -> i32;
}

/// Runs `body` with all signals blocked: a thread started in it inherits that, so that signal handlers
/// only ever run on the backend's own thread.
fn without_signals<R>(body: impl FnOnce() -> R) -> R {
    let mut all = MaybeUninit::<SignalSet>::zeroed();
    let mut old = MaybeUninit::<SignalSet>::zeroed();
    // SAFETY: the sets are as large as any sigset_t; `old` is filled in by the first call.
    unsafe {
        sigfillset(all.as_mut_ptr());
        pthread_sigmask(SIG_SETMASK, all.as_ptr(), old.as_mut_ptr());
    }
    let result = body();
    // SAFETY: as above.
    unsafe { pthread_sigmask(SIG_SETMASK, old.as_ptr(), std::ptr::null_mut()) };
    result
}

impl<Job: Send + 'static, Done: Send + 'static> HelperThread<Job, Done> {
    /// Starts a thread that does `work` with each job.
    ///
    /// # Errors
    /// XX000 when the system gives no thread.
    pub fn start(mut work: impl FnMut(Job) -> Done + Send + 'static) -> Result<Self> {
        let (jobs, todo) = channel::<Job>();
        let (done, results) = channel();
        let run = move || {
            while let Ok(job) = todo.recv() {
                if done.send(work(job)).is_err() {
                    break;
                }
            }
        };
        let thread = without_signals(|| Builder::new().name("module_versioning".into()).spawn(run))
            .map_err(|error| Error::internal(format!("a thread could not be started: {error}")))?;
        Ok(Self {
            jobs: Some(jobs),
            results,
            thread: Some(thread),
            waiting: 0,
        })
    }

    /// Gives it a job.
    ///
    /// # Errors
    /// XX000 when the thread has ended, which it does not by itself.
    pub fn give(&mut self, job: Job) -> Result<()> {
        let given = self
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.send(job).is_ok());
        if !given {
            return Err(ended());
        }
        self.waiting += 1;
        Ok(())
    }

    /// The next result, if it is there already.
    pub fn ready(&mut self) -> Option<Done> {
        let done = self.results.try_recv().ok()?;
        self.waiting -= 1;
        Some(done)
    }

    /// Waits for the next result; `None` when none is to come.
    ///
    /// # Errors
    /// XX000 when the thread has ended. A query cancel is raised.
    pub fn wait(&mut self) -> Result<Option<Done>> {
        if self.waiting == 0 {
            return Ok(None);
        }
        loop {
            pgrx::check_for_interrupts!();
            match self.results.recv_timeout(Duration::from_millis(50)) {
                Ok(done) => {
                    self.waiting -= 1;
                    return Ok(Some(done));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
            }
        }
    }
}

fn ended() -> Error {
    Error::internal("the helper thread has ended")
}

impl<Job, Done> Drop for HelperThread<Job, Done> {
    fn drop(&mut self) {
        // Without jobs it ends, when it is done with the one it has.
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic in it has shown as an error to whoever waited.
            let _ = thread.join();
        }
    }
}
