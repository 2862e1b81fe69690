/*
 * way: prints how many nanoseconds a cache line takes from one core to another, core 0 and core 1, at this moment.
 *
 * What threads share travels like this, reference counts above all.  On a virtual machine the hypervisor moves the
 * cores about: the way within one block of the processor may be a fifth of the way between two, and be the one now and
 * the other a second later.  The middle of many short measurements is printed: somebody else may have a core meanwhile.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TIMES = 20, THROWS = 2000 }; /* both ways count: THROWS is even */

static _Alignas(128) atomic_int ball;

static void stay_on(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0) {
		perror("way: sched_setaffinity");
		exit(1);
	}
}

static void wait_for(int throw)
{
	while (atomic_load_explicit(&ball, memory_order_acquire) != throw)
		;
}

static void *partner(void *nothing)
{
	stay_on(1);
	for (int i = 1; i < TIMES * THROWS; i += 2) {
		wait_for(i);
		atomic_store_explicit(&ball, i + 1, memory_order_release);
	}
	return nothing;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	double took[TIMES], before;
	pthread_t thread;

	if (pthread_create(&thread, NULL, partner, NULL) != 0) {
		fputs("way: no thread\n", stderr);
		return 1;
	}
	stay_on(0);
	for (int time = 0, i = 0; time < TIMES; time++) {
		before = now();
		for (int end = i + THROWS; i < end; i += 2) {
			wait_for(i);
			atomic_store_explicit(&ball, i + 1, memory_order_release);
		}
		took[time] = (now() - before) / THROWS;
	}
	pthread_join(thread, NULL);
	qsort(took, TIMES, sizeof took[0], compare);
	printf("%.0f\n", took[TIMES / 2]);
	return 0;
}
