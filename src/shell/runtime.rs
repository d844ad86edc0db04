//! What the standard library would bring: the client's artefact does without it, 10 kB of wasm.

#![allow(
    unsafe_code,
    reason = "an allocator is unsafe by its trait, and texts come checked"
)]

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32;
use core::cell::Cell;
use core::ptr::null_mut;

/// Blocks of powers of two, each size with a list of its free ones. Nothing is ever merged or given
/// back: what a page has needed once serves again, so memory stays flat. A tenth of dlmalloc's bytes.
struct Blocks {
    /// By the power: the first free block, which holds the address of the next.
    free: [Cell<*mut u8>; 32],
    /// Memory that was never in use, from here
    next: Cell<usize>,
    /// to here.
    end: Cell<usize>,
}

// SAFETY: this artefact has one thread.
unsafe impl Sync for Blocks {}

#[global_allocator]
static ALLOCATOR: Blocks = Blocks {
    free: [const { Cell::new(null_mut()) }; 32],
    next: Cell::new(0),
    end: Cell::new(0),
};

const PAGE: usize = 65_536;
/// The smallest block; also how all are aligned, and nothing here asks for more.
const SMALLEST: usize = 16;

fn power(size: usize) -> usize {
    (usize::BITS - (size.max(SMALLEST) - 1).leading_zeros()) as usize
}

impl Blocks {
    fn list(&self, power: usize) -> Option<&Cell<*mut u8>> {
        self.free.get(power)
    }

    /// A block that was never in use.
    fn carve(&self, size: usize) -> *mut u8 {
        if self.end.get() - self.next.get() < size {
            let pages = size.div_ceil(PAGE);
            let start = wasm32::memory_grow(0, pages);
            if start == usize::MAX {
                return null_mut();
            }
            if start * PAGE != self.end.get() {
                self.next.set(start * PAGE);
            }
            self.end.set((start + pages) * PAGE);
        }
        let block = self.next.get();
        self.next.set(block + size);
        block as *mut u8
    }
}

// SAFETY: a block is as big as its power of two says, is on no list while it is in use, and the same
// size finds the same list again.
unsafe impl GlobalAlloc for Blocks {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let power = power(layout.size());
        let Some(list) = self.list(power) else {
            return null_mut();
        };
        let block = list.get();
        if block.is_null() {
            return self.carve(1 << power);
        }
        // SAFETY: a free block holds the address of the next one.
        list.set(unsafe { block.cast::<*mut u8>().read() });
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(list) = self.list(power(layout.size())) {
            // SAFETY: the block is ours again, and big enough for an address.
            unsafe { block.cast::<*mut u8>().write(list.get()) };
            list.set(block);
        }
    }
}

/// The text in bytes that host.js has encoded.
pub(super) const fn text(bytes: &[u8]) -> &str {
    // SAFETY: all that host.js hands over comes from a TextEncoder, which writes UTF-8 and nothing else.
    unsafe { core::str::from_utf8_unchecked(bytes) }
}

/// A static that is not shared, as there is one thread.
pub(super) struct Alone<T>(pub(super) T);

// SAFETY: this artefact has one thread.
unsafe impl<T> Sync for Alone<T> {}

/// No panic is reachable (S36); if one is all the same, the trap becomes a rejection with `internal`.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}
