//! Whatever a task does that leaves its bee alive is its own outcome.

use mt_beehive::{Hive, TaskResult};

use crate::{
    bees::{Deed, Doer, DoerTasks, Unserialisable},
    scene::{check, hive, raised, reign},
};

async fn still_the_same(hive: &Hive<Doer>, bee: u32) {
    let (result, _) = hive.pid().await;
    assert_eq!(result, TaskResult::Succeeded(bee));
}

async fn pid(hive: &Hive<Doer>) -> u32 {
    hive.pid().await.0.ok().unwrap()
}

#[test]
fn panics_are_raised_and_the_bee_goes_on() {
    check(|| {
        reign(
            || hive(1),
            |hive| async move {
                let bee = pid(&hive).await;
                let (result, child) = hive.act(Deed::Panic("by its own".into())).await;
                assert_eq!(
                    (raised(result), child),
                    ("panicked: by its own".into(), Some(0))
                );
                let (result, _) = hive.act(Deed::PanicLong(100 << 20)).await;
                let text = raised(result);
                assert!(
                    text.starts_with("panicked: éé") && text.len() < 1 << 20,
                    "clipped"
                );
                still_the_same(&hive, bee).await;
            },
        );
    });
}

#[test]
fn what_does_not_serialise_is_raised_and_the_bee_goes_on() {
    check(|| {
        reign(
            || hive(1),
            |hive| async move {
                let bee = pid(&hive).await;
                for _ in 0..20 {
                    let (result, _) = hive.delegate::<u64>("unserialisable", false).await;
                    assert!(raised(result).contains("can't be sent"));
                    let (result, _) = hive.delegate::<u64>("unserialisable", true).await;
                    assert!(raised(result).contains("it does not want to cross"));
                }
                still_the_same(&hive, bee).await;
            },
        );
    });
}

#[test]
fn unknown_names_and_wrong_arguments_are_raised() {
    check(|| {
        reign(
            || hive(1),
            |hive| async move {
                let bee = pid(&hive).await;
                let (result, child) = hive.delegate::<u64>("no_such", 1_u64).await;
                let text = raised(result);
                assert!(text.contains("no task named `no_such`") && text.contains("add, act"));
                assert_eq!(child, Some(0), "she was asked");
                let (result, _) = hive.delegate::<u64>("add", "text".to_owned()).await;
                assert!(raised(result).contains("arguments given to task `add`"));
                let (result, _) = hive.delegate::<u64>("add", (1_u64, 2_u64, 3_u64)).await;
                assert!(raised(result).contains("arguments"), "one too many");
                let (result, _) = hive.delegate::<String>("add", (300_u64, 2_u64)).await;
                assert!(raised(result).contains("is not a"), "another type");
                still_the_same(&hive, bee).await;
            },
        );
    });
}

#[test]
fn arguments_that_do_not_serialise_are_raised_here() {
    check(|| {
        reign(
            || hive(1),
            |hive| async move {
                let never = Unserialisable { panics: false };
                let (result, child) = hive.delegate::<()>("act", never).await;
                assert!(raised(result).contains("arguments of task `act` can't be sent"));
                assert_eq!(child, None, "nobody was asked");
                let (result, _) = hive.add(1, 2).await;
                assert_eq!(result, TaskResult::Succeeded(3));
            },
        );
    });
}

/// One hundred bad ones beside one hundred good ones.
#[test]
fn bad_tasks_do_not_touch_good_ones() {
    check(|| {
        reign(
            || hive(2),
            |hive| async move {
                let all = (0..100_u64).map(|n| {
                    let hive = hive.clone();
                    async move {
                        let bad = async {
                            match n % 4 {
                                0 => raised(hive.act(Deed::Panic("bad".into())).await.0),
                                1 => raised(
                                    hive.delegate::<u64>("unserialisable", n % 8 == 1).await.0,
                                ),
                                2 => raised(hive.delegate::<u64>("no_such", ()).await.0),
                                _ => raised(hive.delegate::<u64>("add", ()).await.0),
                            }
                        };
                        let (bad, good) = tokio::join!(bad, hive.add(n, 1));
                        assert!(!bad.is_empty());
                        assert_eq!(good.0, TaskResult::Succeeded(n + 1));
                    }
                });
                futures::future::join_all(all).await;
            },
        );
    });
}

#[test]
fn rubbish_on_standard_output_is_harmless() {
    check(|| {
        reign(
            || hive(1),
            |hive| async move {
                let bee = pid(&hive).await;
                assert_eq!(hive.act(Deed::Print).await.0, TaskResult::Succeeded(()));
                still_the_same(&hive, bee).await;
            },
        );
    });
}
