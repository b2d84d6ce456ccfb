/* The program of the test images: says its first argument, and stays until it is asked to go. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void leave(int signal)
{
    (void)signal;
    _exit(0);
}

int main(int count, char **words)
{
    signal(SIGTERM, leave);
    printf("%s\n", count > 1 ? words[1] : "nothing");
    fflush(stdout);
    for (;;)
        pause();
}
