#!/bin/sh
# Prints assembly for functions that end the process with their name: all of a list, each weak, so that one that the
# emulator has takes its place. usage: stubs.sh LIBRARY < NAMES
echo '.section .rodata'
echo "library: .string \"$1\""
echo '.text'
awk '{
    print ".weak " $1 "\n.type " $1 ", @function\n" $1 ":"
    print "    leaq name" NR "(%rip), %rdi\n    leaq library(%rip), %rsi\n    pushq %rax\n    call emulator_missing"
    print ".size " $1 ", .-" $1
    print ".section .rodata\nname" NR ": .string \"" $1 "\"\n.text"
}'
echo '.section .note.GNU-stack,"",@progbits'
