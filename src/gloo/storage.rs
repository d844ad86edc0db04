//! A record in a browser's storage, with memory for what that refuses to keep: `keeper` of host.js.

use alloc::string::String;
use core::cell::RefCell;
use std::format;

use super::Storage;

pub(super) struct Drawer {
    storage: Storage,
    key: String,
    /// What was refused, and what stood there then: what another tab has put in its place is newer.
    kept: RefCell<Option<Refused>>,
}

struct Refused {
    mine: Option<String>,
    theirs: Option<String>,
}

impl Drawer {
    pub fn new(storage: Storage, namespace: &str, name: &str) -> Self {
        Self {
            storage,
            key: format!("{namespace}|{name}"),
            kept: RefCell::default(),
        }
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    pub fn read(&self) -> Option<String> {
        let found = self.find();
        if let Some(Refused { mine, theirs }) = &*self.kept.borrow()
            && found.as_ref().is_none_or(|found| found == theirs)
        {
            return mine.clone();
        }
        self.kept.take();
        found.flatten()
    }

    /// What is stored, if that can be read.
    fn find(&self) -> Option<Option<String>> {
        self.storage()?.get_item(&self.key).ok()
    }

    /// Writes the record, or removes it.
    pub fn write(&self, record: Option<String>) {
        let written = self.storage().and_then(|storage| {
            match &record {
                Some(record) => storage.set_item(&self.key, record),
                None => storage.remove_item(&self.key),
            }
            .ok()
        });
        self.kept.replace(match written {
            Some(()) => None,
            None => Some(Refused {
                mine: record,
                theirs: self.find().flatten(),
            }),
        });
    }

    /// Touching it may throw, and so may any use of it: blocked cookies, a full disk.
    fn storage(&self) -> Option<web_sys::Storage> {
        let window = web_sys::window()?;
        match self.storage {
            Storage::Local => window.local_storage().ok()?,
            Storage::Session => window.session_storage().ok()?,
            Storage::Memory => None,
        }
    }
}
