//! What bees, and the programs of their tasks, have from the process that has started them all. Bees start as the workers
//! of a pool do, whose tests go further.

use std::{fs, net::TcpListener, panic::resume_unwind, process::Command};

use mt_beehive::hive_of;
use mt_test_kit::descriptors;
use rustix::process::{getpid, set_child_subreaper};

use crate::doer::{Deed, DoerTasks};
use crate::scene::{
    Live as _, Scene, block_on, check, children, hive, lost, role, test_with, wait_until,
};

/// A bee that tells what she finds.
#[derive(Default)]
struct Looker;

#[mt_beehive::worker(tasks = LookerTasks)]
impl Looker {
    /// The signals in a line of a process's status, as bits: of the thread of this call, and of a program.
    #[task]
    fn signals(&self, line: String) -> [u64; 2] {
        let own = fs::read_to_string("/proc/thread-self/status").unwrap();
        let program = Command::new("cat").arg("/proc/self/status").output();
        let program = String::from_utf8(program.unwrap().stdout).unwrap();
        [own, program].map(|status| {
            let mask = status.lines().find_map(|it| it.strip_prefix(&line));
            u64::from_str_radix(mask.unwrap().trim(), 16).unwrap()
        })
    }

    #[task]
    fn code_of_a_program(&self, code: i32) -> Option<i32> {
        let exits = ["-c".to_owned(), format!("exit {code}")];
        Command::new("sh").args(exits).status().unwrap().code()
    }

    /// What descriptors above 2 are of.
    #[task]
    fn open(&self) -> Vec<String> {
        let open = descriptors().into_iter().filter(|(fd, _)| *fd > 2);
        open.map(|(_, target)| target.display().to_string())
            .collect()
    }

    /// Leaves programs that end at once, and one that does not, to the bee; waits until only that is there.
    #[task]
    fn leave_programs(&self) -> usize {
        let script = "setsid -f true; setsid -f sleep 0.05; sleep 1000 &";
        let shell = Command::new("sh").args(["-c", script]).status();
        assert!(shell.unwrap().success());
        wait_until(|| children().len() == 1);
        children().len()
    }

    /// Panics with what another panic carried, which was caught.
    #[task]
    async fn panic_again(&self, text: String) {
        assert!(std::panic::catch_unwind(|| panic!("old")).is_err());
        resume_unwind(Box::new(text))
    }
}

/// Where a hive's process starts that was started in an odd way. For the test runner this is nothing.
#[test]
fn as_host() {
    let role = role();
    if role.is_empty() {
        return;
    }
    block_on(hive_of::<Looker>(()).processes(1).live(async |hive| {
        let signals = async |line: &str| hive.signals(line.to_owned()).await.unwrap();
        match &role[..] {
            "children are ignored" => {
                assert_eq!(hive.code_of_a_program(3).await, Ok(Some(3)));
            }
            "signals are blocked" => assert_eq!(signals("SigBlk:").await, [0, 0]),
            "interrupts are ignored" => {
                let ignored = signals("SigIgn:").await;
                assert!(
                    ignored.iter().all(|mask| mask & 0b11 == 0b11),
                    "{ignored:x?}"
                );
            }
            other => panic!("no role is called {other}"),
        }
    }));
}

/// Case 12, 13: Bees begin with no signal blocked and learn how their programs end, and what the host was told to ignore
/// stays ignored.
#[test_with(check)]
fn bees_have_of_signals_what_they_should() {
    for (words, role) in [
        ("--ignore-signal=CHLD", "children are ignored"),
        ("--block-signal=TERM,INT,CHLD", "signals are blocked"),
        ("--ignore-signal=INT,HUP", "interrupts are ignored"),
    ] {
        let host = Scene::of("inherited::as_host", role);
        let status = Scene::start(&mut Scene::through("env", &[words], &host)).end();
        assert!(status.success(), "{role}: {status}");
    }
}

/// Case 23: A bee holds no listener of the host, also if that is not close-on-exec.
#[test_with(check)]
fn a_listener_of_the_host_is_not_kept_by_bees() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let inherited = rustix::io::dup(&listener).unwrap();
    let file = rustix::io::dup(fs::File::open("/etc/passwd").unwrap()).unwrap();
    block_on(hive_of::<Looker>(()).processes(1).live(async |hive| {
        let open = hive.open().await.unwrap();
        assert!(
            !open.iter().any(|target| target == "/etc/passwd"),
            "{open:?}"
        );
        drop((listener, inherited));
        TcpListener::bind(address).unwrap();
    }));
    drop(file);
}

/// Case 18, 35: What tasks have left is reaped by the bee while she goes on, and by a host that adopts orphans when she has
/// ended.
#[test_with(check)]
fn what_tasks_of_a_bee_have_left_is_reaped() {
    set_child_subreaper(Some(getpid())).unwrap();
    block_on(hive_of::<Looker>(()).processes(1).live(async |hive| {
        assert_eq!(hive.leave_programs().await, Ok(1));
    }));
    assert_eq!(children(), [0_u32; 0]);
}

/// Case 6: A panic of a bee's task is told with what it carries, not with one that the task has caught.
#[test_with(check)]
fn the_panic_that_arrives_is_the_one_that_is_told() {
    block_on(hive_of::<Looker>(()).processes(1).live(async |hive| {
        let told = hive.panic_again("new".to_owned()).await.unwrap_err();
        let told = told.to_string();
        assert!(told.contains("new") && !told.contains("old"), "{told}");
    }));
}

/// Case 11: A bee's death by a signal is told with the signal's name.
#[test_with(check)]
fn a_bees_death_is_told_with_the_signals_name() {
    for (number, name) in [(14, "SIGALRM"), (26, "SIGVTALRM"), (27, "SIGPROF")] {
        block_on(hive(1).live(async |hive| {
            let (death, _) = lost(hive.act(Deed::Signal(number)).await);
            assert!(death.to_string().contains(name), "{death}");
        }));
    }
}
