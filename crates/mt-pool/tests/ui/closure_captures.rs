//! A closure can't use variables from outside.

fn main() {
    let factor = 3;
    let name = String::from("product");
    let _ = mt_pool::inline_task!(|x: u32| -> u32 {
        println!("{name}");
        x * factor
    });
}
