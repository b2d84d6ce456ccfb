using System.Text;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Tests.Guests;

public sealed class AgentBrokerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task A_service_of_the_supervisor_is_answered_by_it()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Broker);
        guest.Broker!.Register("supervisor.status", (request, _) => Task.FromResult(Encoding.UTF8.GetBytes("status of " + Encoding.UTF8.GetString(request.Span))));

        Encoding.UTF8.GetString(await guest.Agent.CallAsync("supervisor.status", "x"u8.ToArray(), Token)).ShouldBe("status of x");
        guest.Agent.Peer.ShouldStartWith("broker gateway");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_long_answer_arrives_whole()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Broker);
        guest.Broker!.Register("supervisor.log", (_, _) => Task.FromResult(new byte[1_000_000]));

        (await guest.Agent.CallAsync("supervisor.log", default, Token)).Length.ShouldBe(1_000_000);
    }

    [Fact(Timeout = 30_000)]
    public async Task The_socket_is_its_owners_alone_and_gone_afterwards()
    {
        var path = "";
        await using (var guest = await GuestOnHost.StartAsync(Route.Broker))
        {
            path = guest.BrokerSocket;
            File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        File.Exists(path).ShouldBeFalse();
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_a_guest_there_is_a_clean_error_until_one_is_attached()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);
        await using var broker = AgentBroker.Start(guest.BrokerSocket);
        await using var client = await guest.AttachAsync();
        await using var early = await client.ExecAsync(new ExecRequest { Program = "true" }, Token);

        (await Should.ThrowAsync<FaultException>(early.Completion)).Faults[0].Code.ShouldBe("guest.unavailable");
        broker.Attach(guest.Agent);
        (await client.ShellAsync("exit 4")).Code.ShouldBe(4);
        broker.Detach();
        (await Should.ThrowAsync<FaultException>(client.PowerOffAsync(Token))).Faults[0].Code.ShouldBe("guest.unavailable");
    }

    [Fact(Timeout = 30_000)]
    public async Task Clients_do_not_disturb_one_another()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Broker);
        await using var flood = await guest.Agent.ExecAsync(new ExecRequest { Program = "cat", Arguments = ["/dev/zero"] }, Token);
        await flood.Stdout.ReadExactlyAsync(new byte[1000], Token);

        var codes = await Task.WhenAll(Enumerable.Range(0, 10).Select(async i =>
        {
            await using var client = await guest.AttachAsync();
            return (await client.ShellAsync($"exit {i}")).Code;
        }));

        codes.ShouldBe(Enumerable.Range(0, 10));
    }

    [Fact(Timeout = 30_000)]
    public async Task An_unknown_service_is_refused_by_the_guest_through_the_broker()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Broker);

        (await Should.ThrowAsync<FaultException>(guest.Agent.CallAsync("no.such.service", default, Token))).Faults[0].Code.ShouldBe("guest.unknown-service");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_client_that_speaks_something_else_is_dropped_and_nobody_else_notices()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Broker);
        await using (var stranger = await AgentSocket.ConnectAsync(guest.BrokerSocket, TimeSpan.FromSeconds(1), Token))
        {
            await stranger.WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), Token);
            await stranger.WriteAsync(new byte[100_000], Token);
        }

        (await guest.Agent.ShellAsync("exit 6")).Code.ShouldBe(6);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_second_broker_takes_the_place_of_a_socket_left_behind()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);
        await File.WriteAllTextAsync(guest.BrokerSocket, "left behind", Token);
        await using var broker = AgentBroker.Start(guest.BrokerSocket);
        broker.Attach(guest.Agent);
        await using var client = await guest.AttachAsync();

        (await client.ShellAsync("exit 8")).Code.ShouldBe(8);
    }

    [Fact]
    public void A_path_that_is_too_long_for_a_socket_is_a_clean_error() =>
        Should.Throw<FaultException>(() => AgentBroker.Start("/tmp/" + new string('x', 200))).Faults[0].Code.ShouldBe("guest.broker-socket");

    [Fact(Timeout = 30_000)]
    public async Task What_the_supervisor_sends_on_a_stream_of_its_own_arrives_message_by_message()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Broker);
        guest.Broker!.Register("supervisor.watch", async (stream, token) =>
        {
            for (byte i = 0; i < 3; i++)
                await stream.WriteAsync(MessageKinds.Reply, new[] { i }, token);
        });
        await using var watch = guest.Agent.Open("supervisor.watch");

        for (byte i = 0; i < 3; i++)
        {
            using var message = (await watch.ReadAsync(Token)).ShouldNotBeNull();
            message.Payload.ToArray().ShouldBe([i]);
        }
        (await watch.ReadAsync(Token)).ShouldBeNull();
    }

    [Fact(Timeout = 30_000)]
    public async Task Who_came_and_went_between_two_looks_is_counted()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Broker);
        var before = guest.Broker!.ClientsSoFar;
        await using (var client = await guest.AttachAsync())
            (await client.ShellAsync("exit 0")).Code.ShouldBe(0);

        guest.Broker.ClientsSoFar.ShouldBe(before + 1);
    }
}
