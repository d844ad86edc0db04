//! The host: `src/shell/host.js`, step for step.

use super::*;

impl Page {
    /// Drives a flow to its end.
    pub async fn run(self: &Rc<Self>, kind: Kind, mut task: Task) -> Result<Outcome> {
        let (begun, frozen) = (self.sim().now(), self.frozen_ms.get());
        let before = Before {
            epoch: self.browser.epoch.get(),
            looked: self.looked.get(),
            claim: self.browser.claim(self.tab.id),
        };
        let run_number = self.browser.number();
        self.note(|| format!("{kind:?} #{run_number}"));
        self.running.set(self.running.get() + 1);
        if matches!(kind, Kind::SignOut | Kind::Revoke) {
            self.browser.claims(None);
        }
        let mut run = Run {
            kind,
            held: None,
            has_asked_tabs: false,
            has_told: false,
            patience_ms: task.patience(TIMEOUT_MS as u32).into(),
            sends: 0,
            sent_at: 0.0,
            answered_at: 0.0,
            exchanges: false,
            label: None,
            removed: None,
        };
        let mut reply = Reply::Done;
        let result = loop {
            match task.resume(reply, self.now()) {
                Step::Done(result) => break result,
                Step::Effect(effect) => reply = self.perform(&mut run, effect).await,
            }
        };
        self.release(&mut run);
        self.schedule();
        self.running.set(self.running.get() - 1);
        self.note(|| format!("{kind:?} #{run_number} -> {}", shown(&result)));

        let took = self.sim().now() - begun - (self.frozen_ms.get() - frozen);
        if took > SETTLES_MS {
            self.sim().broken("4 (every promise settles)", || {
                format!("{kind:?} took {took} ms")
            });
        }
        let most = match kind {
            Kind::SignIn | Kind::Api | Kind::Sync => 0,
            // Once more if the browser's session isn't the recorded one; and what was granted to who has signed out
            // meanwhile is revoked.
            Kind::Token => 3,
            Kind::Redirect => 2,
            // Once more for the cookie's, if that is ahead of the record.
            Kind::SignOut => 2,
            _ => 1,
        };
        if run.sends > most {
            self.sim().broken("4 (no loop)", || {
                format!("{kind:?} sent {} requests", run.sends)
            });
        }
        self.judge(&run, &result, begun, &before);
        result
    }

    async fn perform(self: &Rc<Self>, run: &mut Run, effect: Effect) -> Reply {
        match effect {
            Effect::Lock => {
                let released = Promise::new(self.sim());
                self.held.borrow_mut().push(released.clone());
                run.held = Some(released.clone());
                self.wait_for(run, self.lock(&released)).await;
                if self.world.weather.keeps == Keeps::Own {
                    self.waits_for_tabs(run).await;
                }
                Reply::Done
            }
            Effect::LockTabs => {
                self.waits_for_tabs(run).await;
                if run.patience_ms > 0.0 {
                    Reply::Done
                } else {
                    Reply::Failed(Failure::Timeout)
                }
            }
            Effect::Load(store) => {
                self.in_time(run.answered_at, || self.load_record(store))
                    .await
            }
            Effect::Save(store, value) => {
                let answered_at = run.answered_at;
                let saves = || {
                    let is_over = matches!(run.kind, Kind::SignOut | Kind::Revoke);
                    if store == Store::Session && (is_over || run.exchanges) {
                        // Of whoever has signed in while it waited for the lock or the reply, too.
                        self.browser.claims(None);
                    }
                    if store == Store::Session && value.is_none() {
                        run.removed = self.stored_label().or(run.removed.take());
                    }
                    self.save_record(store, value)
                };
                self.in_time(answered_at, saves).await
            }
            Effect::Send(request) => self.send(run, request).await,
            Effect::Clean(shown) => {
                let mut href = self.href.borrow_mut();
                if let Some(cleaned) = shown.cleaned(&href) {
                    *href = cleaned;
                }
                Reply::Done
            }
            Effect::Emit(event) => {
                self.emit(event);
                Reply::Done
            }
            Effect::Tell(told) => {
                // Told once more when the relay has heard of it, that is no news.
                let is_left = matches!(run.kind, Kind::SignOut | Kind::Revoke)
                    && !std::mem::replace(&mut run.has_told, true);
                if is_left {
                    self.left_at.set(self.sim().now());
                }
                if self.hears.get() {
                    self.tell_tabs(told.expose());
                }
                Reply::Done
            }
        }
    }

    pub(super) fn leaves_for(self: &Rc<Self>, url: String) {
        let (page, user) = (self.clone(), self.guest.get().unwrap_or(self.browser.user));
        self.sim().spawn(WORLD, async move {
            // Scripts go on for a while.
            page.sim().pause(0.0, 100.0).await;
            page.end.resolve(End::Leave(url, user));
        });
    }

    async fn send(self: &Rc<Self>, run: &mut Run, request: Request) -> Reply {
        run.sends += 1;
        run.sent_at = self.sim().now();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        run.exchanges = body.contains("authorization_code");
        if run.exchanges {
            // From here on nobody knows which session this browser has, until the reply is in.
            self.browser.claims(None);
        }
        let is_heard = Rc::new(Cell::new(false));
        let (browser, heard) = (self.browser.clone(), is_heard.clone());
        // Nobody hears it if the page is gone, too.
        let _missed = Finally(move || {
            if !heard.get() {
                browser.missed_reply.set(true);
            }
        });
        match self.browser.fetch(request, TIMEOUT_MS).await {
            Ok(response) => {
                self.is_answered();
                run.answered_at = self.sim().now();
                let json: serde_json::Value =
                    serde_json::from_slice(&response.body).unwrap_or_default();
                run.label = json["session"].as_str().map(String::from);
                self.note(|| format!("hears {} of {:?}", response.status, run.label));
                is_heard.set(response.status < 500);
                Reply::Response(response)
            }
            Err(failure) => Reply::Failed(failure),
        }
    }

    fn emit(self: &Rc<Self>, event: Event) {
        self.schedule();
        self.note(|| format!("event {event:?}"));
    }

    /// Tells what is due, then sets the timer for what is next.
    fn schedule(self: &Rc<Self>) {
        self.timer.set(self.timer.get() + 1);
        let now = self.now();
        if let Some(event) = self.client.tick(now) {
            self.ticks.set(self.ticks.get() + 1);
            self.emit(event);
            return;
        }
        let Some(delay) = self.client.alarm(now) else {
            return;
        };
        let (page, number) = (self.clone(), self.timer.get());
        self.sim().spawn(self.group, async move {
            page.sim().sleep(delay.min(2_147_483_647.0)).await;
            if page.timer.get() == number {
                page.schedule();
            }
        });
    }

    async fn wait_for(&self, run: &mut Run, lock: Promise<()>) {
        if lock.within(run.patience_ms).await.is_none() {
            run.patience_ms = 0.0;
            self.note(|| "goes on without the lock".into());
        }
    }

    /// The lock in this page, held until `released`: what tells that it was got.
    fn lock(self: &Rc<Self>, released: &Promise<()>) -> Promise<()> {
        let sim = self.sim();
        let (acquired, tail) = (Promise::new(sim), Promise::new(sim));
        let before = self.tail.replace(Some(tail.clone()));
        let (got, released) = (acquired.clone(), released.clone());
        sim.spawn(self.group, async move {
            if let Some(before) = before {
                before.wait().await;
            }
            got.resolve(());
            released.wait().await;
            tail.resolve(());
        });
        acquired
    }

    /// The lock across tabs, where there are Web Locks.
    fn lock_tabs(self: &Rc<Self>, released: Promise<()>) -> Promise<()> {
        let acquired = Promise::new(self.sim());
        let (page, got) = (self.clone(), acquired.clone());
        self.sim().spawn(self.group, async move {
            if page.world.weather.locks == Locks::Missing {
                return got.resolve(());
            }
            let _lock = page.browser.lock().await;
            got.resolve(());
            released.wait().await;
        });
        acquired
    }

    /// Waits for the lock across tabs, once: a second time it would wait for itself.
    async fn waits_for_tabs(self: &Rc<Self>, run: &mut Run) {
        if let Some(released) = &run.held
            && !std::mem::replace(&mut run.has_asked_tabs, true)
        {
            let lock = self.lock_tabs(released.clone());
            self.wait_for(run, lock).await;
        }
    }

    fn release(&self, run: &mut Run) {
        if let Some(held) = run.held.take() {
            held.resolve(());
            self.held.borrow_mut().retain(|held| held.value().is_none());
        }
    }

    // Records: `Store` of `host.js`.

    /// A browser's storage is used in the same turn that asks for it, and others come before the flow goes on; the app's own
    /// takes its time.
    async fn in_time(&self, answered_at: f64, uses: impl FnOnce() -> Reply) -> Reply {
        if self.world.weather.keeps == Keeps::Own {
            self.sim().pause(0.0, 30.0).await;
        }
        let reply = uses();
        if self.world.strikes(self.world.weather.ends_at_store) {
            // What it was answered no other tab hears of, then.
            if answered_at > 0.0 {
                self.browser.missed_reply.set(true);
            }
            let is_reload = self.sim().chance(0.7);
            self.end
                .resolve(if is_reload { End::Reload } else { End::Close });
            // The flow doesn't go on before the page is gone.
            self.sim().sleep(1.0).await;
        }
        self.sim().step_aside().await;
        reply
    }

    fn load_record(&self, store: Store) -> Reply {
        let is_shared = store == Store::Session;
        let found = self.in_storage(store, |records, key| records.get(key).cloned());
        if let Some([mine, theirs]) = self.kept.borrow().get(&is_shared)
            && found.as_ref().is_none_or(|found| found == theirs)
        {
            return Reply::Loaded(mine.clone());
        }
        match found {
            Some(value) => {
                self.kept.borrow_mut().remove(&is_shared);
                Reply::Loaded(value)
            }
            None if self.world.weather.keeps == Keeps::Own => Reply::Failed(Failure::Storage),
            None => Reply::Loaded(None),
        }
    }

    fn save_record(&self, store: Store, value: Option<String>) -> Reply {
        let is_shared = store == Store::Session;
        if is_shared {
            self.note(|| format!("stores {:?}", value.as_deref().unwrap_or("nothing")));
        }
        let is_full = self.browser.storage.get() == Storage::Full && value.is_some();
        let saved = (!is_full)
            .then(|| {
                self.in_storage(store, |records, key| match value.clone() {
                    Some(value) => drop(records.insert(key.into(), value)),
                    None => drop(records.remove(key)),
                })
            })
            .flatten();
        if saved.is_some() {
            self.kept.borrow_mut().remove(&is_shared);
            return Reply::Done;
        }
        let theirs = self.in_storage(store, |records, key| records.get(key).cloned());
        self.kept
            .borrow_mut()
            .insert(is_shared, [value, theirs.flatten()]);
        if self.world.weather.keeps == Keeps::Own {
            return Reply::Failed(Failure::Storage);
        }
        Reply::Done
    }

    /// Nothing if the storage is not to be touched.
    fn in_storage<T>(
        &self,
        store: Store,
        work: impl FnOnce(&mut BTreeMap<String, String>, &str) -> T,
    ) -> Option<T> {
        if self.browser.storage.get() == Storage::Blocked {
            return None;
        }
        let (key, is_local) = match (store, self.world.weather.keeps) {
            (Store::Session, Keeps::Session) => ("session", false),
            (Store::Session, _) => ("session", true),
            (Store::Pending, Keeps::Own) => ("pending", true),
            (Store::Pending, _) => ("pending", false),
        };
        let records = if is_local {
            &self.browser.local
        } else {
            &self.tab.session
        };
        Some(work(&mut records.borrow_mut(), key))
    }

    /// The session that is stored, for this page.
    pub(super) fn stored_label(&self) -> Option<String> {
        let Reply::Loaded(Some(record)) = self.load_record(Store::Session) else {
            return None;
        };
        Some(client::label_in(&record).into())
    }

    // Other tabs.

    fn tell_tabs(&self, label: &str) {
        for page in self.browser.pages() {
            if page.number == self.number {
                continue;
            }
            if !page.hears.get() {
                // Back from the cache it looks, and finds its own record if each tab keeps one.
                page.missed
                    .set(page.missed.get() || !self.world.records_are_shared());
                continue;
            }
            if self.world.strikes(self.world.weather.loses_message) {
                page.missed.set(true);
                continue;
            }
            page.unheard.set(page.unheard.get() + 1);
            let label = label.to_owned();
            let is_late = self.world.weather.late_messages && self.world.weather.is_on();
            self.sim().spawn(page.group, async move {
                let most = if is_late { 20_000.0 } else { 5.0 };
                page.sim().pause(0.0, most).await;
                page.unheard.set(page.unheard.get() - 1);
                if page.hears.get() {
                    if label.ends_with("\u{1f}-") {
                        page.left_at.set(page.sim().now());
                    }
                    page.sync(&label).await;
                }
            });
        }
    }

    pub(super) async fn sync(self: &Rc<Self>, ended: &str) {
        let _ = self.run(Kind::Sync, self.client.sync(ended)).await;
    }
}
