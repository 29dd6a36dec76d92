//! What the process uses of the machine, under the names that Prometheus's own clients give it (`process_…`):
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::process::Usage;

/// The metrics of the process. They are 0 where the system does not tell.
pub(super) struct Process {
    registry: Registry,
    cpu: Counter<f64, AtomicU64>,
    resident: Gauge,
    virtual_size: Gauge,
    open_files: Gauge,
    most_files: Gauge,
    started: Gauge<f64, AtomicU64>,
}

impl Process {
    pub(super) fn new() -> Self {
        let mut made = Self {
            registry: Registry::with_prefix("process"),
            cpu: Counter::default(),
            resident: Gauge::default(),
            virtual_size: Gauge::default(),
            open_files: Gauge::default(),
            most_files: Gauge::default(),
            started: Gauge::default(),
        };
        made.register();
        made
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(super) fn set(&self, usage: &Usage) {
        // A counter can only be added to. This one is read from the system, which never takes it back.
        self.cpu.inner().store(usage.cpu_seconds.to_bits(), Ordering::Relaxed);
        self.resident.set(super::level(usage.resident_bytes));
        self.virtual_size.set(super::level(usage.virtual_bytes));
        self.open_files.set(super::level(usage.open_files));
        self.most_files.set(super::level(usage.most_files));
        self.started.set(usage.started_seconds);
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register_with_unit(
            "cpu",
            "Processor time that the process has used, in user and system mode",
            Unit::Seconds,
            self.cpu.clone(),
        );
        registry.register_with_unit(
            "resident_memory",
            "Memory of the process that is in RAM",
            Unit::Bytes,
            self.resident.clone(),
        );
        registry.register_with_unit(
            "virtual_memory",
            "Size of the process's address space",
            Unit::Bytes,
            self.virtual_size.clone(),
        );
        registry.register("open_fds", "Open file descriptors", self.open_files.clone());
        registry.register(
            "max_fds",
            "File descriptors that the process may have",
            self.most_files.clone(),
        );
        registry.register_with_unit(
            "start_time",
            "When the process began, since 1970",
            Unit::Seconds,
            self.started.clone(),
        );
    }
}
