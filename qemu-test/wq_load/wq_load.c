// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work for workqueues of several kinds, and a count of the CPUs that it is
 * executed on. In debugfs, below wq_load:
 *
 * epoch   what work items are tagged with when they are queued. Once a write
 *         has returned, none is queued with the old epoch any more.
 * counts  how many work items were executed: workqueue, epoch, CPU, number.
 * idle    how many workqueues there are besides, with no work.
 */
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#define BATCH	32
#define EPOCHS	32

struct load;

struct item {
	struct work_struct work;
	struct load *load;
	unsigned int epoch;
};

struct load {
	const char *name;
	unsigned int flags;
	bool ordered;
	struct workqueue_struct *wq;
	struct task_struct *thread;
	unsigned long __percpu *executed;	/* of each epoch */
	struct item items[BATCH];
};

static struct load loads[] = {
	{ .name = "wq_load_unbound", .flags = WQ_UNBOUND },
	{ .name = "wq_load_ordered", .ordered = true },
	{ .name = "wq_load_highpri", .flags = WQ_UNBOUND | WQ_HIGHPRI },
	{ .name = "wq_load_mem_reclaim", .flags = WQ_UNBOUND | WQ_MEM_RECLAIM },
	{ .name = "wq_load_freezable", .flags = WQ_UNBOUND | WQ_FREEZABLE },
	/* These two are there to be compared with the others. */
	{ .name = "wq_load_sysfs", .flags = WQ_UNBOUND | WQ_SYSFS },
	{ .name = "wq_load_percpu", .flags = WQ_PERCPU },
};

static bool busy = true;
module_param(busy, bool, 0444);
MODULE_PARM_DESC(busy, "Keep the workqueues busy (default: Y)");

static struct dentry *dir;

/* Held for reading from when items are tagged until they are queued. */
static DECLARE_RWSEM(epoch_lock);
static unsigned int epoch;

static DEFINE_MUTEX(idle_lock);
static DEFINE_XARRAY(idle_wqs);
static unsigned long idle_count;

static void count_item(struct work_struct *work)
{
	struct item *item = container_of(work, struct item, work);

	this_cpu_inc(item->load->executed[item->epoch]);
}

/* Queue the items on behalf of one online CPU after the other. */
static void queue_batch(struct load *load)
{
	int cpu = -1;

	guard(cpus_read_lock)();
	guard(rwsem_read)(&epoch_lock);

	for (int i = 0; i < BATCH; i++) {
		struct item *item = &load->items[i];

		cpu = cpumask_next_wrap(cpu, cpu_online_mask);
		item->epoch = epoch;
		queue_work_on(cpu, load->wq, &item->work);
	}
}

static int keep_busy(void *data)
{
	struct load *load = data;

	while (!kthread_should_stop()) {
		queue_batch(load);
		/*
		 * A work item that is queued while it is still being executed
		 * stays where it is, whatever has become of the cpumask.
		 */
		flush_workqueue(load->wq);
		/* Let others have a turn. */
		schedule_timeout_idle(1);
	}
	return 0;
}

static int epoch_get(void *data, u64 *value)
{
	guard(rwsem_read)(&epoch_lock);
	*value = epoch;
	return 0;
}

static int epoch_set(void *data, u64 value)
{
	if (value >= EPOCHS)
		return -EINVAL;

	guard(rwsem_write)(&epoch_lock);
	epoch = value;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(epoch_fops, epoch_get, epoch_set, "%llu\n");

static int counts_show(struct seq_file *m, void *v)
{
	for (int i = 0; i < ARRAY_SIZE(loads); i++) {
		for (int e = 0; e < EPOCHS; e++) {
			int cpu;

			for_each_possible_cpu(cpu) {
				unsigned long *executed = per_cpu_ptr(loads[i].executed, cpu);
				unsigned long count = READ_ONCE(executed[e]);

				if (count)
					seq_printf(m, "%s %d %d %lu\n",
						   loads[i].name, e, cpu, count);
			}
		}
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

static int idle_get(void *data, u64 *value)
{
	guard(mutex)(&idle_lock);
	*value = idle_count;
	return 0;
}

static int idle_set(void *data, u64 value)
{
	guard(mutex)(&idle_lock);

	while (idle_count < value) {
		struct workqueue_struct *wq;
		int ret;

		wq = alloc_workqueue("wq_load_idle_%lu", WQ_UNBOUND, 0, idle_count);
		if (!wq)
			return -ENOMEM;
		ret = xa_err(xa_store(&idle_wqs, idle_count, wq, GFP_KERNEL));
		if (ret) {
			destroy_workqueue(wq);
			return ret;
		}
		idle_count++;
	}
	while (idle_count > value)
		destroy_workqueue(xa_erase(&idle_wqs, --idle_count));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(idle_fops, idle_get, idle_set, "%llu\n");

static int load_start(struct load *load)
{
	load->executed = __alloc_percpu(sizeof(unsigned long[EPOCHS]),
					__alignof__(unsigned long));
	if (!load->executed)
		return -ENOMEM;

	if (load->ordered)
		load->wq = alloc_ordered_workqueue("%s", load->flags, load->name);
	else
		load->wq = alloc_workqueue("%s", load->flags, 0, load->name);
	if (!load->wq)
		return -ENOMEM;

	for (int i = 0; i < BATCH; i++) {
		load->items[i].load = load;
		INIT_WORK(&load->items[i].work, count_item);
	}
	if (busy) {
		struct task_struct *thread;

		thread = kthread_run(keep_busy, load, "%s", load->name);
		if (IS_ERR(thread))
			return PTR_ERR(thread);
		load->thread = thread;
	}
	return 0;
}

/* Undo as much of load_start() as was done. */
static void load_stop(struct load *load)
{
	if (load->thread)
		kthread_stop(load->thread);
	if (load->wq)
		destroy_workqueue(load->wq);
	free_percpu(load->executed);
}

static void wq_load_exit(void)
{
	/* From here on nobody reads or writes the files. */
	debugfs_remove(dir);
	for (int i = 0; i < ARRAY_SIZE(loads); i++)
		load_stop(&loads[i]);
	idle_set(NULL, 0);
	xa_destroy(&idle_wqs);
}

static int __init wq_load_init(void)
{
	for (int i = 0; i < ARRAY_SIZE(loads); i++) {
		int ret = load_start(&loads[i]);

		if (ret) {
			wq_load_exit();
			return ret;
		}
	}

	dir = debugfs_create_dir("wq_load", NULL);
	debugfs_create_file_unsafe("epoch", 0600, dir, NULL, &epoch_fops);
	debugfs_create_file_unsafe("idle", 0600, dir, NULL, &idle_fops);
	debugfs_create_file("counts", 0400, dir, NULL, &counts_fops);
	return 0;
}

module_init(wq_load_init);
module_exit(wq_load_exit);

MODULE_DESCRIPTION("Work for workqueues of several kinds, counted by CPU");
MODULE_LICENSE("GPL");
