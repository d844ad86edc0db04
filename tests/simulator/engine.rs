//! Virtual time: tasks that wait for it or for each other, in an order that the seed decides.
//!
//! A task is an `async` block of a group: a page, a vault's host, the network. A group can be killed
//! between any two steps, as a closed tab or a crash does it, or frozen. Of the events that are due
//! at one time any may come first.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::random::Random;

/// When virtual time begins, in milliseconds since 1970.
pub const START: f64 = 1_800_000_000_000.0;

pub type Sim = Rc<Engine>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group(usize);

/// Lives as long as the schedule: the network, the user, the machinery of the simulator itself.
pub const WORLD: Group = Group(0);

pub struct Engine {
    /// In microseconds since [`START`].
    now: Cell<u64>,
    /// Time, chance, number, task.
    queue: RefCell<BinaryHeap<Reverse<(u64, u32, u64, usize)>>>,
    tasks: RefCell<Vec<Option<Task>>>,
    groups: RefCell<Vec<Life>>,
    current: Cell<usize>,
    steps: Cell<u64>,
    number: Cell<u64>,
    random: RefCell<Random>,
    trace: Option<RefCell<Vec<String>>>,
    broken: RefCell<Option<String>>,
}

struct Task {
    group: Group,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

#[derive(Clone, Copy)]
struct Life {
    is_alive: bool,
    frozen_until: u64,
}

const ALIVE: Life = Life {
    is_alive: true,
    frozen_until: 0,
};

impl Engine {
    pub fn new(seed: u64, traced: bool) -> Sim {
        Rc::new(Self {
            now: Cell::new(0),
            queue: RefCell::default(),
            tasks: RefCell::default(),
            groups: RefCell::new(vec![ALIVE]),
            current: Cell::new(usize::MAX),
            steps: Cell::new(0),
            number: Cell::new(0),
            random: RefCell::new(Random::new(seed)),
            trace: traced.then(RefCell::default),
            broken: RefCell::default(),
        })
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> f64 {
        START + self.now.get() as f64 / 1000.0
    }

    pub fn random<T>(&self, draw: impl FnOnce(&mut Random) -> T) -> T {
        draw(&mut self.random.borrow_mut())
    }

    pub fn chance(&self, probability: f64) -> bool {
        self.random(|r| r.chance(probability))
    }

    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Notes what happens, for whoever replays the seed.
    pub fn note(&self, text: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            let line = format!("{:>12.3} {}", self.now.get() as f64 / 1e6, text());
            trace.borrow_mut().push(line);
        }
    }

    pub fn trace(&self) -> Vec<String> {
        self.trace
            .as_ref()
            .map(|t| t.borrow().clone())
            .unwrap_or_default()
    }

    /// A claim is broken: the schedule ends here.
    pub fn broken(&self, claim: &str, what: impl FnOnce() -> String) {
        if self.broken.borrow().is_none() {
            let text = format!("claim {claim}: {}", what());
            self.note(|| format!("BROKEN {text}"));
            *self.broken.borrow_mut() = Some(text);
        }
    }

    pub fn is_broken(&self) -> Option<String> {
        self.broken.borrow().clone()
    }

    pub fn group(&self) -> Group {
        self.groups.borrow_mut().push(ALIVE);
        Group(self.groups.borrow().len() - 1)
    }

    /// Drops all tasks of a group, wherever they wait.
    pub fn kill(&self, group: Group) {
        self.groups.borrow_mut()[group.0].is_alive = false;
        let mut dropped = Vec::new();
        for slot in self.tasks.borrow_mut().iter_mut() {
            if slot.as_ref().is_some_and(|task| task.group == group) {
                dropped.push(slot.take());
            }
        }
        // Outside of the borrow: what is dropped may wake others.
        drop(dropped);
    }

    pub fn is_alive(&self, group: Group) -> bool {
        self.groups.borrow()[group.0].is_alive
    }

    /// Lets no task of a group run for so long.
    pub fn freeze(&self, group: Group, ms: f64) {
        self.groups.borrow_mut()[group.0].frozen_until = self.now.get() + micros(ms);
    }

    pub fn thaw(&self, group: Group) {
        self.groups.borrow_mut()[group.0].frozen_until = 0;
        let is_its = |task: &Option<Task>| task.as_ref().is_some_and(|task| task.group == group);
        let tasks: Vec<_> = self.tasks.borrow().iter().map(is_its).collect();
        for (task, _) in tasks.iter().enumerate().filter(|(_, is_its)| **is_its) {
            self.wake_at(task, self.now.get());
        }
    }

    pub fn spawn(&self, group: Group, future: impl Future<Output = ()> + 'static) {
        if !self.is_alive(group) {
            return;
        }
        let future = Box::pin(future);
        self.tasks.borrow_mut().push(Some(Task { group, future }));
        let task = self.tasks.borrow().len() - 1;
        self.wake_at(task, self.now.get());
    }

    fn wake_at(&self, task: usize, at: u64) {
        let mut queue = self.queue.borrow_mut();
        let tie = self.random(|r| r.next() as u32);
        let number = self.number.replace(self.number.get() + 1);
        queue.push(Reverse((at, tie, number, task)));
    }

    /// Waits.
    pub async fn sleep(&self, ms: f64) {
        let until = self.now.get() + micros(ms);
        let mut is_set = false;
        poll_fn(|_| {
            if is_set && self.now.get() >= until {
                return Poll::Ready(());
            }
            if !is_set {
                is_set = true;
                self.wake_at(self.current.get(), until);
            }
            Poll::Pending
        })
        .await;
    }

    /// Lets others come first.
    pub async fn step_aside(&self) {
        self.sleep(0.0).await;
    }

    /// Waits for as long as chance says.
    pub async fn pause(&self, from: f64, to: f64) {
        let ms = self.random(|r| r.between(from, to));
        self.sleep(ms).await;
    }

    /// Runs for so long, or until nothing is left to do or a claim is broken.
    pub fn run(&self, ms: f64) {
        let until = self.now.get() + micros(ms);
        while self.broken.borrow().is_none() {
            let next = self.queue.borrow().peek().map(|Reverse(entry)| *entry);
            let Some((at, .., task)) = next.filter(|entry| entry.0 <= until) else {
                break;
            };
            self.queue.borrow_mut().pop();
            self.now.set(self.now.get().max(at));
            self.poll(task);
        }
        if self.broken.borrow().is_none() {
            self.now.set(until);
        }
    }

    /// Drops all tasks, which know of the world that knows of them.
    pub fn end(&self) {
        for life in self.groups.borrow_mut().iter_mut() {
            life.is_alive = false;
        }
        let tasks = self.tasks.take();
        drop(tasks);
    }

    fn poll(&self, index: usize) {
        let Some(group) = self.tasks.borrow()[index].as_ref().map(|task| task.group) else {
            return;
        };
        let frozen_until = self.groups.borrow()[group.0].frozen_until;
        if frozen_until > self.now.get() {
            self.wake_at(index, frozen_until);
            return;
        }
        self.step(index, group);
    }

    fn step(&self, index: usize, group: Group) {
        let Some(mut task) = self.tasks.borrow_mut()[index].take() else {
            return;
        };
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > 200_000 {
            self.broken("4 (no loop)", || "the schedule never ends".into());
        }
        self.current.set(index);
        let done = task
            .future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready();
        if !done && self.is_alive(group) {
            self.tasks.borrow_mut()[index] = Some(task);
        }
    }
}

fn micros(ms: f64) -> u64 {
    // Never early.
    (ms * 1000.0).ceil().max(0.0) as u64
}

/// A value that comes once.
pub struct Promise<T>(Rc<Slot<T>>);

struct Slot<T> {
    sim: Sim,
    value: RefCell<Option<T>>,
    waiting: RefCell<Vec<usize>>,
}

impl<T> Clone for Promise<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone> Promise<T> {
    pub fn new(sim: &Sim) -> Self {
        Self(Rc::new(Slot {
            sim: sim.clone(),
            value: RefCell::default(),
            waiting: RefCell::default(),
        }))
    }

    /// The first value counts.
    pub fn resolve(&self, value: T) {
        if self.0.value.borrow().is_some() {
            return;
        }
        *self.0.value.borrow_mut() = Some(value);
        let sim = &self.0.sim;
        for task in self.0.waiting.take() {
            sim.wake_at(task, sim.now.get());
        }
    }

    pub fn value(&self) -> Option<T> {
        self.0.value.borrow().clone()
    }

    pub async fn wait(&self) -> T {
        poll_fn(|_| {
            if let Some(value) = self.value() {
                return Poll::Ready(value);
            }
            self.0.waiting.borrow_mut().push(self.0.sim.current.get());
            Poll::Pending
        })
        .await
    }

    /// What comes within so many milliseconds.
    pub async fn within(&self, ms: f64) -> Option<T> {
        let sim = &self.0.sim;
        let until = sim.now.get() + micros(ms);
        let mut is_set = false;
        poll_fn(|_| {
            let is_late = sim.now.get() >= until;
            match self.value() {
                // One who slept through both finds the one or the other first.
                Some(value) if !is_late || !is_set || sim.chance(0.5) => Poll::Ready(Some(value)),
                _ if is_late && is_set => Poll::Ready(None),
                _ => {
                    self.0.waiting.borrow_mut().push(sim.current.get());
                    if !is_set {
                        is_set = true;
                        sim.wake_at(sim.current.get(), until);
                    }
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// Does something when it is dropped: when its task ends or is killed.
pub struct Finally<F: FnMut()>(pub F);

impl<F: FnMut()> Drop for Finally<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
