using System.Globalization;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Instances;

public sealed class InstanceLockTests
{
    [Fact]
    public async Task A_second_process_is_told_who_holds_the_lock()
    {
        using var folder = new TestFolder();
        var files = folder.Instance("test");
        using var holder = Dummy.Start("hold-lock", folder.Path, "test");
        (await holder.LineAsync()).ShouldBe("held");
        try
        {
            InstanceLock.HolderOf(files).ShouldNotBeNull().Pid.ShouldBe(holder.Id);
            var fault = Should.Throw<FaultException>(() => InstanceLock.Acquire(files, "test")).Faults[0];
            fault.Code.ShouldBe("instance.running");
            fault.What.ShouldContain(string.Create(CultureInfo.InvariantCulture, $"Instance test is already running (pid {holder.Id})"));

            using var second = Dummy.Start("hold-lock", folder.Path, "test");
            (await second.LineAsync()).ShouldContain("already running");
        }
        finally
        {
            holder.StandardInput.Close();
            await holder.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        InstanceLock.HolderOf(files).ShouldBeNull();
        InstanceLock.Acquire(files, "test").Dispose();
    }

    [Fact]
    public async Task A_lock_that_is_just_being_given_back_is_waited_for()
    {
        using var folder = new TestFolder();
        var files = folder.Instance("test");
        var held = InstanceLock.Acquire(files, "test");

        // As its holder leaves it in the moment before it lets go. (.NET would want the lock for itself.)
        using (var truncate = System.Diagnostics.Process.Start("truncate", ["-s", "0", files.Lock]))
            await truncate.WaitForExitAsync(TestContext.Current.CancellationToken);
        var taking = Task.Run(() => InstanceLock.Acquire(files, "test"), TestContext.Current.CancellationToken);
        await Task.WhenAny(taking, Task.Delay(100, TestContext.Current.CancellationToken));
        taking.IsCompleted.ShouldBeFalse();
        held.Dispose();

        using var taken = await taking;
        InstanceLock.HolderOf(files).ShouldBe(ProcessIdentities.Current);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("garbage")]
    [InlineData("")]
    public void A_lock_file_that_names_nobody_is_held_by_nobody(string content)
    {
        using var folder = new TestFolder();
        var files = folder.Instance("test");
        File.WriteAllText(files.Lock, content);

        InstanceLock.HolderOf(files).ShouldBeNull();
        using var held = InstanceLock.Acquire(files, "test");
        InstanceLock.HolderOf(files).ShouldBe(ProcessIdentities.Current);
    }

    [Fact]
    public async Task The_lock_of_a_killed_process_is_free()
    {
        using var folder = new TestFolder();
        var files = folder.Instance("test");
        using var holder = Dummy.Start("hold-lock", folder.Path, "test");
        (await holder.LineAsync()).ShouldBe("held");
        holder.Kill();
        await holder.WaitForExitAsync(TestContext.Current.CancellationToken);

        InstanceLock.HolderOf(files).ShouldBeNull();
        using var held = InstanceLock.Acquire(files, "test");
        InstanceLock.HolderOf(files).ShouldBe(ProcessIdentities.Current);
    }

    [Fact]
    public async Task Asking_who_holds_it_does_not_get_in_the_way_of_taking_it()
    {
        using var folder = new TestFolder();
        var files = folder.Instance("test");
        using var stop = new CancellationTokenSource();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var asking = Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    InstanceLock.HolderOf(files);
                    asked.TrySetResult();
                }
            },
            TestContext.Current.CancellationToken);
        await Task.WhenAny(asked.Task, asking);
        for (var i = 0; i < 200; i++)
            InstanceLock.Acquire(files, "test").Dispose();
        await stop.CancelAsync();
        await asking;
    }
}
