//! One child and the thread that speaks with it: pipes have no deadline, so a thread waits for them, and
//! the caller waits for the thread.

use super::Settings;
use crate::{
    cache,
    frame::{self, Answer, Order},
    program::Program,
};
use std::{
    env,
    io::{self, BufReader, BufWriter},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

/// A child that can be asked.
pub(super) struct Worker {
    jobs: Sender<Job>,
    child: Arc<Mutex<Child>>,
}

/// One request, and where its answers go: first that the program is ready, then the answer.
struct Job {
    program: Program,
    request: Vec<u8>,
    answers: Sender<io::Result<Answer>>,
}

/// There is no answer, and no worker any more.
#[derive(Debug)]
pub(super) enum Lost {
    /// It had ended before it could be asked.
    Ended,
    /// It died or was killed, for this reason.
    Broken(String),
}

impl Worker {
    /// Starts a child.
    pub(super) fn start(settings: &Settings) -> io::Result<Self> {
        let (program, arguments) = settings
            .command
            .split_first()
            .ok_or_else(|| io::Error::other("no command"))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .env_clear()
            .envs(
                cache::VARIABLES
                    .iter()
                    .filter_map(|name| Some((name, env::var_os(name)?))),
            );
        let mut child = command.spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("a child without pipes"));
        };
        let child = Arc::new(Mutex::new(child));
        let (jobs, received) = mpsc::channel();
        let talk = Talk {
            input: BufWriter::new(input),
            output: BufReader::new(output),
            prepared: Vec::new(),
        };
        let (idle, own) = (settings.idle, child.clone());
        thread::Builder::new()
            .name("evaluate".to_owned())
            .spawn(move || {
                talk.serve(&received, idle);
                end(&own);
            })
            .inspect_err(|_| end(&child))?;
        Ok(Self { jobs, child })
    }

    /// The answer of the child.
    pub(super) fn run(
        &self,
        program: Program,
        request: &[u8],
        settings: &Settings,
    ) -> Result<Answer, Lost> {
        let (answers, received) = mpsc::channel();
        let job = Job {
            program,
            request: request.to_vec(),
            answers,
        };
        self.jobs.send(job).map_err(|_| Lost::Ended)?;
        match self.wait(&received, settings.preparation, true)? {
            Ok(_) => self.wait(&received, settings.deadline, false),
            Err(stopped) => Ok(Err(stopped)),
        }
    }

    fn wait(
        &self,
        answers: &Receiver<io::Result<Answer>>,
        most: Duration,
        first: bool,
    ) -> Result<Answer, Lost> {
        match answers.recv_timeout(most) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Lost::Broken(format!("the evaluator died: {error}"))),
            Err(RecvTimeoutError::Disconnected) if first => Err(Lost::Ended),
            Err(RecvTimeoutError::Disconnected) => {
                Err(Lost::Broken("the evaluator died".to_owned()))
            }
            Err(RecvTimeoutError::Timeout) => {
                kill(&self.child);
                let seconds = most.as_secs_f32();
                let reason = format!("the evaluator gave no answer within {seconds} s");
                Err(Lost::Broken(reason))
            }
        }
    }
}

/// The thread's side.
struct Talk {
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// The programs that the child has ready.
    prepared: Vec<Program>,
}

impl Talk {
    /// Until nobody asked for so long, nobody can ask any more, or the child died.
    fn serve(mut self, jobs: &Receiver<Job>, idle: Duration) {
        while let Ok(job) = jobs.recv_timeout(idle) {
            if self.answer(&job).is_err() {
                return;
            }
        }
    }

    /// Fails where the child is no more.
    fn answer(&mut self, job: &Job) -> Result<(), ()> {
        let ready = self.prepare(job.program);
        let is_ready = matches!(ready, Ok(Ok(_)));
        tell(job, ready)?;
        if is_ready {
            let order = Order::Run(job.program, job.request.clone());
            let answer = self.ask(&order);
            tell(job, answer)?;
        }
        Ok(())
    }

    fn prepare(&mut self, program: Program) -> io::Result<Answer> {
        if self.prepared.contains(&program) {
            return Ok(Ok(Vec::new()));
        }
        let answer = self.ask(&Order::Prepare(program))?;
        if answer.is_ok() {
            self.prepared.push(program);
        }
        Ok(answer)
    }

    fn ask(&mut self, order: &Order) -> io::Result<Answer> {
        frame::write_order(&mut self.input, order)?;
        frame::read_answer(&mut self.output)
    }
}

/// Who asked may have given up: then the child is being killed.
fn tell(job: &Job, answer: io::Result<Answer>) -> Result<(), ()> {
    let is_broken = answer.is_err();
    let told = job.answers.send(answer);
    if is_broken || told.is_err() {
        Err(())
    } else {
        Ok(())
    }
}

fn kill(child: &Mutex<Child>) {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = child.kill();
}

/// Ends the child and takes its exit status, so that no zombie stays.
fn end(child: &Mutex<Child>) {
    kill(child);
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = child.wait();
}
