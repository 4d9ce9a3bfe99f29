// A connector in Rust with nothing but its standard library, written by hand from liaison/plugin.h. One file:
//
//     rustc --edition 2021 -C opt-level=2 rust_sample.rs -o rust_sample.so
//
// Pull: one GET, one record for each line of the answer, done. The line "panic" panics, which becomes FAIL(internal):
// nothing may unwind across the ABI.
#![crate_type = "cdylib"]

use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    ptr: *const c_char,
    len: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Array {
    ptr: *const c_void,
    count: u32,
    stride: u32,
}

#[repr(C)]
pub struct Host {
    size: u32,
    abi_major: u32,
    abi_minor: u32,
    reserved: u32,
    ctx: *mut c_void,
    log: Option<extern "C" fn(*mut c_void, u32, Str)>,
    extension: Option<extern "C" fn(*mut c_void, Str) -> *const c_void>,
}

#[repr(C)]
pub struct Plugin {
    size: u32,
    abi_major: u32,
    abi_minor: u32,
    abi_minor_min: u32,
    id: Str,
    version: Str,
    vendor: Str,
    manifest: Str,
    capabilities: u64,
    open: extern "C" fn(*const Host, Str) -> *mut Instance,
    close: extern "C" fn(*mut Instance),
    job_create: extern "C" fn(*mut Instance, u32) -> *mut Job,
    step: extern "C" fn(*mut Job, *const Event) -> *const c_void,
    job_destroy: extern "C" fn(*mut Job),
}
unsafe impl Sync for Plugin {}

#[repr(C)]
pub struct Event {
    size: u32,
    kind: u32,
    now_ms: i64,
}

#[repr(C)]
struct EventHttp {
    head: Event,
    responses: Array,
}

#[repr(C)]
struct Response {
    size: u32,
    error: u32,
    status: u32,
    reserved: u32,
    headers: Array,
    body: Str,
    error_text: Str,
}

#[repr(C)]
struct Request {
    size: u32,
    flags: u32,
    method: Str,
    url: Str,
    auth: Str,
    headers: Array,
    body: Str,
    idempotency_key: Str,
    max_body: u64,
    timeout_ms: u32,
    record_index: i32,
}

#[repr(C)]
struct Record {
    size: u32,
    op: u32,
    key: Str,
    version: Str,
    payload: Str,
    reference: Str,
    changed_ms: i64,
    entity: Str,
}

#[repr(C)]
struct EffectHttp {
    size: u32,
    kind: u32,
    requests: Array,
    max_parallel: u32,
    reserved: u32,
}

#[repr(C)]
struct EffectEmit {
    size: u32,
    kind: u32,
    records: Array,
    cursor: Str,
    flags: u32,
    reserved: u32,
}

#[repr(C)]
struct EffectDone {
    size: u32,
    kind: u32,
    output: Str,
}

#[repr(C)]
struct EffectFail {
    size: u32,
    kind: u32,
    category: u32,
    reserved: u32,
    retry_after_ms: i64,
    code: Str,
    text: Str,
    detail: Str,
}

const JOB_TEST: u32 = 1;
const JOB_PULL: u32 = 2;
const EVENT_START: u32 = 1;
const EVENT_HTTP: u32 = 2;
const EVENT_EMITTED: u32 = 3;
const EVENT_CANCEL: u32 = 6;
const EFFECT_HTTP: u32 = 1;
const EFFECT_EMIT: u32 = 2;
const EFFECT_DONE: u32 = 5;
const EFFECT_FAIL: u32 = 6;
const ERROR_TRANSIENT: u32 = 1;
const ERROR_INTERNAL: u32 = 9;

const EMPTY: Str = Str { ptr: null(), len: 0 };
const NOTHING: Array = Array { ptr: null(), count: 0, stride: 0 };

const fn view(text: &'static str) -> Str {
    Str { ptr: text.as_ptr() as *const c_char, len: text.len() as u64 }
}
fn borrowed(text: &str) -> Str {
    Str { ptr: text.as_ptr() as *const c_char, len: text.len() as u64 }
}
fn array<T>(items: &[T]) -> Array {
    Array { ptr: items.as_ptr() as *const c_void, count: items.len() as u32, stride: size_of_32::<T>() }
}
fn size_of_32<T>() -> u32 {
    std::mem::size_of::<T>() as u32
}

pub struct Instance {}

// What a job says lies in it until its next step.
pub struct Job {
    kind: u32,
    texts: Vec<(String, String)>,
    requests: Vec<Request>,
    records: Vec<Record>,
    http: EffectHttp,
    emit: EffectEmit,
    done: EffectDone,
    fail: EffectFail,
}

impl Job {
    fn new(kind: u32) -> Job {
        Job {
            kind,
            texts: Vec::new(),
            requests: Vec::new(),
            records: Vec::new(),
            http: EffectHttp {
                size: size_of_32::<EffectHttp>(), kind: EFFECT_HTTP, requests: NOTHING, max_parallel: 0, reserved: 0,
            },
            emit: EffectEmit {
                size: size_of_32::<EffectEmit>(), kind: EFFECT_EMIT, records: NOTHING, cursor: EMPTY, flags: 0, reserved: 0,
            },
            done: EffectDone { size: size_of_32::<EffectDone>(), kind: EFFECT_DONE, output: EMPTY },
            fail: EffectFail {
                size: size_of_32::<EffectFail>(), kind: EFFECT_FAIL, category: 0, reserved: 0, retry_after_ms: 0,
                code: EMPTY, text: EMPTY, detail: EMPTY,
            },
        }
    }

    fn ask(&mut self) -> *const c_void {
        self.requests = vec![Request {
            size: size_of_32::<Request>(), flags: 0, method: view("GET"), url: view("https://rust.example/lines"),
            auth: EMPTY, headers: NOTHING, body: EMPTY, idempotency_key: EMPTY, max_body: 0, timeout_ms: 0,
            record_index: -1,
        }];
        self.http.requests = array(&self.requests);
        &self.http as *const EffectHttp as *const c_void
    }

    fn read(&mut self, event: &Event) -> *const c_void {
        if event.size < size_of_32::<EventHttp>() {
            return self.give_up(ERROR_TRANSIENT, "the answer is missing");
        }
        let http = unsafe { &*(event as *const Event as *const EventHttp) };
        if http.responses.count != 1 {
            return self.give_up(ERROR_TRANSIENT, "one answer was expected");
        }
        let response = unsafe { &*(http.responses.ptr as *const Response) };
        if response.error != 0 || response.status != 200 {
            return self.give_up(ERROR_TRANSIENT, "the lines cannot be read");
        }
        let bytes: &[u8] = if response.body.len == 0 {
            &[]
        } else {
            unsafe { std::slice::from_raw_parts(response.body.ptr as *const u8, response.body.len as usize) }
        };
        let body = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_string(),
            Err(_) => return self.give_up(ERROR_TRANSIENT, "the lines are not UTF-8"),
        };
        self.texts.clear();
        for (number, line) in body.lines().filter(|line| !line.is_empty()).enumerate().take(1000) {
            if line == "panic" {
                panic!("as it was told");
            }
            let safe: String = line.chars().filter(|c| !c.is_control() && *c != '"' && *c != '\\').take(200).collect();
            self.texts.push(((number + 1).to_string(), format!("{{\"name\":\"{}\"}}", safe)));
        }
        self.records = self.texts.iter().map(|(key, payload)| Record {
            size: size_of_32::<Record>(), op: 1, key: borrowed(key), version: EMPTY, payload: borrowed(payload),
            reference: EMPTY, changed_ms: 0, entity: EMPTY,
        }).collect();
        self.emit.records = array(&self.records);
        self.emit.cursor = view("all");
        &self.emit as *const EffectEmit as *const c_void
    }

    fn finish(&mut self, output: &'static str) -> *const c_void {
        self.done.output = view(output);
        &self.done as *const EffectDone as *const c_void
    }

    fn give_up(&mut self, category: u32, text: &'static str) -> *const c_void {
        self.fail.category = category;
        self.fail.text = view(text);
        &self.fail as *const EffectFail as *const c_void
    }

    fn step(&mut self, event: &Event) -> *const c_void {
        match event.kind {
            EVENT_START if self.kind == JOB_TEST => self.finish("{\"account\":\"Rust\"}"),
            EVENT_START => self.ask(),
            EVENT_HTTP => self.read(event),
            EVENT_EMITTED => self.finish(""),
            EVENT_CANCEL => self.give_up(ERROR_TRANSIENT, "cancelled"),
            _ => self.give_up(ERROR_INTERNAL, "the host sent an event out of turn"),
        }
    }
}

extern "C" fn open(_host: *const Host, _config: Str) -> *mut Instance {
    std::panic::set_hook(Box::new(|_| {})); // standard error is nobody's
    Box::into_raw(Box::new(Instance {}))
}
extern "C" fn close(instance: *mut Instance) {
    unsafe { drop(Box::from_raw(instance)) }
}
extern "C" fn job_create(_instance: *mut Instance, kind: u32) -> *mut Job {
    if kind != JOB_TEST && kind != JOB_PULL {
        return std::ptr::null_mut();
    }
    Box::into_raw(Box::new(Job::new(kind)))
}
extern "C" fn step(job: *mut Job, event: *const Event) -> *const c_void {
    let (job, event) = unsafe { (&mut *job, &*event) };
    match catch_unwind(AssertUnwindSafe(|| job.step(event))) {
        Ok(effect) => effect,
        Err(_) => job.give_up(ERROR_INTERNAL, "the connector panicked"),
    }
}
extern "C" fn job_destroy(job: *mut Job) {
    unsafe { drop(Box::from_raw(job)) }
}

static TABLE: Plugin = Plugin {
    size: std::mem::size_of::<Plugin>() as u32,
    abi_major: 1,
    abi_minor: 0,
    abi_minor_min: 0,
    id: view("org.liaison.rust-sample"),
    version: view("1.0.0"),
    vendor: view("liaison"),
    manifest: view("{\"id\": \"org.liaison.rust-sample\", \"version\": \"1.0.0\", \"vendor\": \"liaison\", \
                    \"connectors\": [{\"name\": \"rust_sample\", \"jobs\": [\"test\", \"pull\"], \"entities\": \"any\"}]}"),
    capabilities: 1 << JOB_TEST | 1 << JOB_PULL,
    open,
    close,
    job_create,
    step,
    job_destroy,
};

#[no_mangle]
pub extern "C" fn liaison_plugin_v1() -> *const Plugin {
    &TABLE
}
