//! A bounded map of things that expire.

use std::collections::{BTreeMap, VecDeque};
use std::string::String;

/// Values by key, each until its time; the oldest give way when there are too many.
#[derive(Clone)]
pub struct Shelf<V> {
    capacity: usize,
    next: u64,
    items: BTreeMap<String, Item<V>>,
    /// Keys in the order of their arrival, some of them taken since.
    order: VecDeque<(u64, String)>,
}

#[derive(Clone)]
struct Item<V> {
    arrival: u64,
    expires_ms: f64,
    value: V,
}

impl<V> Shelf<V> {
    pub const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            next: 0,
            items: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Keeps `value` while the time is before `expires_ms`.
    pub fn put(&mut self, key: String, value: V, expires_ms: f64, now_ms: f64) {
        if self.order.len() >= self.capacity {
            self.tidy(now_ms);
        }
        while self.order.len() >= self.capacity {
            let Some((arrival, key)) = self.order.pop_front() else {
                break;
            };
            if self
                .items
                .get(&key)
                .is_some_and(|item| item.arrival == arrival)
            {
                self.items.remove(&key);
            }
        }
        let arrival = self.next;
        self.next = self.next.wrapping_add(1);
        self.order.push_back((arrival, key.clone()));
        self.items.insert(
            key,
            Item {
                arrival,
                expires_ms,
                value,
            },
        );
    }

    pub fn peek(&self, key: &str, now_ms: f64) -> Option<&V> {
        self.items
            .get(key)
            .filter(|item| now_ms < item.expires_ms)
            .map(|item| &item.value)
    }

    pub fn peek_mut(&mut self, key: &str, now_ms: f64) -> Option<&mut V> {
        self.items
            .get_mut(key)
            .filter(|item| now_ms < item.expires_ms)
            .map(|item| &mut item.value)
    }

    /// Removes a value; an expired one is not there.
    pub fn take(&mut self, key: &str, now_ms: f64) -> Option<V> {
        self.items
            .remove(key)
            .filter(|item| now_ms < item.expires_ms)
            .map(|item| item.value)
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        self.items.retain(|_, item| keep(&item.value));
    }

    pub fn clear(&mut self) {
        self.items.clear();
        self.order.clear();
    }

    /// How many have not expired.
    pub fn live(&self, now_ms: f64) -> usize {
        self.items
            .values()
            .filter(|item| now_ms < item.expires_ms)
            .count()
    }

    fn tidy(&mut self, now_ms: f64) {
        self.items.retain(|_, item| now_ms < item.expires_ms);
        let items = &self.items;
        self.order
            .retain(|(arrival, key)| items.get(key).is_some_and(|item| item.arrival == *arrival));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn a_value_is_there_until_its_time() {
        let mut shelf = Shelf::new(2);
        shelf.put("a".into(), 1, 10.0, 0.0);
        assert_eq!(shelf.peek("a", 9.9), Some(&1));
        assert_eq!(shelf.peek("a", 10.0), None);
        assert_eq!(shelf.take("a", 10.0), None);
    }

    #[test]
    fn the_oldest_gives_way_but_not_before_the_expired() {
        let mut shelf = Shelf::new(2);
        shelf.put("old".into(), 1, 100.0, 0.0);
        shelf.put("expired".into(), 2, 5.0, 0.0);
        shelf.put("new".into(), 3, 100.0, 6.0);
        assert_eq!(shelf.peek("old", 6.0), Some(&1));
        shelf.put("newer".into(), 4, 100.0, 6.0);
        assert_eq!(shelf.peek("old", 6.0), None);
        assert_eq!(shelf.live(6.0), 2);
    }

    #[test]
    fn it_stays_bounded_however_much_is_put_and_taken() {
        let mut shelf = Shelf::new(100);
        for i in 0..10_000 {
            let key = format!("{i}");
            shelf.put(key.clone(), i, f64::INFINITY, 0.0);
            if i % 2 == 0 {
                shelf.take(&key, 0.0);
            }
            assert!(shelf.items.len() <= 100 && shelf.order.len() <= 100);
        }
        assert_eq!(shelf.peek("9999", 0.0), Some(&9999));
    }
}
