//! The client's side of host.js. Little crosses the border, and nothing that JavaScript owns: pages and
//! flows have numbers, and all else is a number or a text. Functions weigh a quarter of what classes with
//! methods do, on both sides; and texts cross as bytes, which host.js encodes and decodes by the platform's own
//! means, because wasm-bindgen's are made for speed.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;

use wasm_bindgen::prelude::*;

use super::runtime::{Alone, text};
use crate::protocol::text::joined;
use crate::session::{Config, Flow, Page};

#[wasm_bindgen(raw_module = "#shell/host")]
extern "C" {
    /// Hands over the text that belongs to what is returned.
    fn put(text: &[u8]);
}

static OPEN: Alone<RefCell<Open>> = Alone(RefCell::new(Open {
    pages: Vec::new(),
    flows: Vec::new(),
}));

struct Open {
    pages: Vec<Option<Box<Page>>>,
    flows: Vec<Option<Box<Flow>>>,
}

/// What host.js wants that takes no text; of a page by its number, but for the flow to end. What it gives
/// back is said in host.js, where the numbers have their names.
#[wasm_bindgen]
pub fn ask(work: u32, number: usize, now: f64, known: u32) -> f64 {
    // A trap has left it borrowed: nothing is known any more.
    let Ok(mut open) = OPEN.0.try_borrow_mut() else {
        put(&[]);
        return f64::NAN;
    };
    let open = &mut *open;
    // Of these two nobody reads what is given back.
    if work == 0 {
        end(&mut open.flows, number);
    } else if work == 1 {
        end(&mut open.pages, number);
    }
    let Some(Some(page)) = open.pages.get_mut(number) else {
        put(&[]);
        return f64::NAN;
    };
    match work {
        2 => {
            put(page.due(now, known > 0).as_bytes());
            page.delay(now)
        }
        3 => {
            let serial = page.fresh(now);
            if serial != known {
                put(page.token().as_bytes());
            }
            f64::from(serial)
        }
        4 if page.is_displaced() => -1.0,
        4 => page.end(),
        _ => {
            put(page.scope().as_bytes());
            0.0
        }
    }
}

const NEW_PAGE: u32 = 9;

/// The number of a new flow of that number; for [`NEW_PAGE`], of a new page with these options.
#[wasm_bindgen]
pub fn start(page: usize, flow: u32, input: &[u8]) -> usize {
    let open = &mut *OPEN.0.borrow_mut();
    let input = joined(&[text(input)]);
    match open.pages.get(page) {
        Some(Some(page)) => place(&mut open.flows, Box::new(Flow::new(page, flow, input))),
        _ if flow == NEW_PAGE => place(&mut open.pages, Box::new(Page::new(Config::new(input)))),
        _ => usize::MAX,
    }
}

/// Goes on with a reply, and puts the next effects.
#[wasm_bindgen]
pub fn resume(page: usize, flow: usize, now: f64, status: i32, reply: &[u8]) {
    let open = &mut *OPEN.0.borrow_mut();
    if let Some(Some(page)) = open.pages.get_mut(page)
        && let Some(Some(flow)) = open.flows.get_mut(flow)
    {
        put(page.resume(flow, now, status, text(reply)).as_bytes());
    }
}

/// A number that is free, and the value's from now on. The same code for all that is boxed, if it stays a function.
#[inline(never)]
fn place<T>(slots: &mut Vec<Option<T>>, value: T) -> usize {
    for (number, slot) in slots.iter_mut().enumerate() {
        if slot.is_none() {
            *slot = Some(value);
            return number;
        }
    }
    slots.push(Some(value));
    slots.len() - 1
}

fn end<T>(slots: &mut [Option<T>], number: usize) {
    if let Some(slot) = slots.get_mut(number) {
        *slot = None;
    }
}
