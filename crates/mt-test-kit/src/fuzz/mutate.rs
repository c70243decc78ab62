//! Changes of an input.

use super::MAX_INPUT_BYTES;
use crate::Dice;

/// Numbers at which something tends to be off by one.
const EDGES: [u64; 16] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    1 << 60,
    u64::MAX - 1,
    u64::MAX,
];

/// Changes an input in some places, now and then with pieces of another one.
pub(super) fn mutate(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice<'_>) {
    let times = 1 + dice.below(4) * dice.below(3);
    for _ in 0..times {
        change(input, other, dice);
    }
    input.truncate(MAX_INPUT_BYTES);
}

fn change(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice<'_>) {
    let at = |dice: &mut Dice<'_>, length: usize| dice.below(length as u64 + 1) as usize;
    let place = at(dice, input.len());
    let length = 1 + dice.below(16) as usize;
    let end = (place + length).min(input.len());
    match dice.below(10) {
        0 if place < input.len() => input[place] ^= 1 << dice.below(8),
        1 if place < input.len() => input[place] = dice.roll() as u8,
        2 => input.insert(place, dice.roll() as u8),
        3 => drop(input.drain(place..end)),
        4 => {
            let piece = input[place..end].to_vec();
            let to = at(dice, input.len());
            input.splice(to..to, piece);
        }
        5 | 6 => {
            let from = at(dice, other.len());
            let to = (from + 1 + dice.below(32) as usize).min(other.len());
            input.splice(place..end, other[from..to].iter().copied());
        }
        7 => write_number(input, place, dice),
        8 => {
            let small = dice.below(5) as u8;
            if let Some(byte) = input.get_mut(place) {
                *byte = byte.wrapping_add(small).wrapping_sub(2);
            }
        }
        _ => {
            let from = at(dice, other.len());
            input.truncate(place);
            input.extend_from_slice(&other[from..]);
        }
    }
}

/// Puts a number there, as a varint or with a fixed width.
fn write_number(input: &mut Vec<u8>, place: usize, dice: &mut Dice<'_>) {
    let mut number = dice.one_of(&EDGES);
    if dice.one_in(2) {
        let mut bytes = Vec::new();
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        input.splice(place..place, bytes);
        return;
    }
    let width = dice.one_of(&[2, 4, 8]);
    let end = (place + width).min(input.len());
    input.splice(place..end, number.to_le_bytes()[..width].iter().copied());
}
