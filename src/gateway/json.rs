//! Reading options out of JSON: every mistake is named with its place, all at once, and a field
//! that nobody knows is one.

use std::cell::RefCell;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde_json::{Map, Value};

use super::options::OptionsError;

/// The mistakes found so far.
#[derive(Default)]
pub struct Problems(RefCell<Vec<String>>);

impl Problems {
    pub fn add(&self, problem: String) {
        if let Ok(mut problems) = self.0.try_borrow_mut() {
            problems.push(problem);
        }
    }

    pub fn into_result(self) -> Result<(), OptionsError> {
        let problems = self.0.into_inner();
        if problems.is_empty() {
            return Ok(());
        }
        Err(OptionsError { problems })
    }
}

pub fn parse(text: &str) -> Result<Value, OptionsError> {
    serde_json::from_str(text).map_err(|error| OptionsError {
        problems: Vec::from([format!("not JSON: {error}")]),
    })
}

/// A JSON object at a place.
pub struct Object<'a> {
    map: &'a Map<String, Value>,
    path: String,
    problems: &'a Problems,
}

impl<'a> Object<'a> {
    /// The object that `value` is, if its fields are all among `fields`.
    pub fn open(
        value: &'a Value,
        path: &str,
        fields: &[&str],
        problems: &'a Problems,
    ) -> Option<Self> {
        let Some(map) = value.as_object() else {
            let place = if path.is_empty() { "the options" } else { path };
            problems.add(format!("{place}: must be an object"));
            return None;
        };
        let object = Self {
            map,
            path: path.to_string(),
            problems,
        };
        for key in map.keys().filter(|key| !fields.contains(&key.as_str())) {
            let known = fields.join(", ");
            let _: Option<()> = object.wrong(key, &format!("unknown; known are {known}"));
        }
        Some(object)
    }

    /// A field's value; `null` counts as left out.
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// What `read` makes of a field that must be there.
    pub fn required<T>(&self, key: &str, read: impl FnOnce(&Self, &str) -> Option<T>) -> Option<T> {
        if self.value(key).is_none() {
            return self.wrong(key, "missing");
        }
        read(self, key)
    }

    pub fn text(&self, key: &str) -> Option<String> {
        let value = self.value(key)?;
        match value.as_str().filter(|text| !text.trim().is_empty()) {
            Some(text) => Some(text.to_string()),
            None => self.wrong(key, "must be a string that is not empty"),
        }
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key)?.as_bool() {
            Some(flag) => Some(flag),
            None => self.wrong(key, "must be true or false"),
        }
    }

    pub fn integer(&self, key: &str, least: u32, most: u32) -> Option<u32> {
        let number = self.value(key)?.as_f64().unwrap_or(f64::NAN);
        if number.fract() != 0.0 || !(f64::from(least)..=f64::from(most)).contains(&number) {
            return self.wrong(
                key,
                &format!("must be a whole number from {least} to {most}"),
            );
        }
        // Within the bounds of u32, as just seen.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(number as u32)
    }

    pub fn share(&self, key: &str) -> Option<f64> {
        let share = self.value(key)?.as_f64().unwrap_or(f64::NAN);
        if share > 0.0 && share <= 1.0 {
            return Some(share);
        }
        self.wrong(key, "must be a number above 0, and 1 at most")
    }

    pub fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.value(key)?.as_str();
        match choices.iter().find(|(name, _)| Some(*name) == text) {
            Some((_, choice)) => Some(*choice),
            None => {
                let names: Vec<_> = choices
                    .iter()
                    .map(|(name, _)| format!("{name:?}"))
                    .collect();
                self.wrong(key, &format!("must be one of {}", names.join(", ")))
            }
        }
    }

    /// A list's items, each with its place.
    pub fn list(&self, key: &str) -> Option<Vec<(String, &'a Value)>> {
        let Some(items) = self.value(key)?.as_array() else {
            return self.wrong(key, "must be a list");
        };
        let place = |i| format!("{}[{i}]", self.place(key));
        Some(
            items
                .iter()
                .enumerate()
                .map(|(i, v)| (place(i), v))
                .collect(),
        )
    }

    pub fn texts(&self, key: &str) -> Option<Vec<String>> {
        let items = self.list(key)?;
        let texts = items
            .iter()
            .map(|(_, value)| value.as_str().map(String::from));
        match texts.collect() {
            Some(texts) => Some(texts),
            None => self.wrong(key, "must be a list of strings"),
        }
    }

    /// Where a field stands, as in `apps[0].appKey`.
    pub fn place(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_string(),
            path => format!("{path}.{key}"),
        }
    }

    /// Notes what is wrong with a field, and has no value for it.
    pub fn wrong<T>(&self, key: &str, problem: &str) -> Option<T> {
        self.problems.add(format!("{}: {problem}", self.place(key)));
        None
    }
}
