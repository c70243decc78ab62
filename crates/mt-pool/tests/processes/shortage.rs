//! A machine that has no memory left.

use futures::StreamExt;
use mt_pool::events::MemoryShortage;

use crate::prelude::*;

/// Case 26: A run that is slowed down for want of memory says so by an event, in its stats and in its progress.
#[test_with(alone)]
fn a_run_that_memory_slows_down_says_so() {
    let run = asyn_pmap::<act>((0..20).map(Deed::Return)).processes(2);
    let run = run.memory(MemoryLimits::new().pause_above(0.0));
    let mut run = run.start().unwrap();
    let handle = run.handle();
    while let Some(outcome) = futures::executor::block_on(run.next()) {
        outcome.unwrap();
    }
    let stats = handle.stats();
    assert_eq!(stats.memory_short, Some(MemoryShortage::Machine));
    assert_eq!(stats.memory_shortages, 1);
    assert_eq!(
        handle.progress().memory_short,
        Some(MemoryShortage::Machine)
    );
    assert!(stats.to_string().contains("memory is short"), "{stats}");
    let told = run.events().filter(|event| {
        let whose = MemoryShortage::Machine;
        std::future::ready(matches!(event, PoolEvent::MemoryShort { whose: w } if *w == whose))
    });
    assert_eq!(futures::executor::block_on(told.count()), 1);
}
