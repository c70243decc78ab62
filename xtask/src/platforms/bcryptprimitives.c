/* What Wine 8 lacks of the library of this name: Rust's standard library takes its random numbers from it. */
#include <windows.h>

/* RtlGenRandom, of advapi32. */
BOOLEAN NTAPI SystemFunction036(PVOID bytes, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T length) {
    return SystemFunction036(bytes, (ULONG)length);
}
