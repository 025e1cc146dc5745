// Compiled anew when the pack changes (CMakeLists.txt); nothing else belongs here.
#include "console/pack.h"

// NOLINTNEXTLINE: the assembler knows how to take a file as it is
asm(".section .rodata\n"
    ".balign 16\n"
    ".globl ampacity_console_pack\n"
    "ampacity_console_pack:\n"
    ".incbin \"" AMPACITY_CONSOLE_PACK
    "\"\n"
    ".globl ampacity_console_pack_end\n"
    "ampacity_console_pack_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" {
extern const char ampacity_console_pack[];
extern const char ampacity_console_pack_end[];
}

namespace ampacity::console {

std::string_view linked_pack() { return {ampacity_console_pack, ampacity_console_pack_end}; }

}  // namespace ampacity::console
