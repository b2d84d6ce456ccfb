using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using OpenShell.Vm.Guest.Cluster.Api;

namespace OpenShell.Vm.Guest.Tests.Cluster.Api;

/// <summary>The client against a server that answers as an API server does, by HTTP: lists, and watches that go on until they are ended.</summary>
public sealed class ObjectMirrorTests : IDisposable
{
    private readonly FakeApi _server = new();
    private readonly ApiClient _api;

    public ObjectMirrorTests() => _api = new ApiClient(new HttpClient { BaseAddress = _server.Address });

    public void Dispose()
    {
        _api.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task It_follows_what_comes_changes_and_goes_from_the_version_of_its_list()
    {
        _server.Lists.Enqueue(List("7", Item("a", "1"), Item("b", "1")));
        var (mirror, end) = Start();
        var watch = await _server.WatchAsync();
        watch.Query.ShouldContain("resourceVersion=7");

        await watch.SayAsync("ADDED", Item("c", "2", version: "8"));
        await watch.SayAsync("MODIFIED", Item("a", "3", version: "9"));
        await watch.SayAsync("DELETED", Item("b", "1", version: "10"));
        await watch.SayAsync("BOOKMARK", """{"metadata":{"resourceVersion":"12"}}""");
        await HasAsync(mirror, "a=3 c=2");

        // An orderly end, as every few minutes: it goes on from there, without another list.
        watch.End();
        (await _server.WatchAsync()).Query.ShouldContain("resourceVersion=12");
        _server.Listed.ShouldBe(1);
        await end();
    }

    [Theory]
    [InlineData("""{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}""")]
    [InlineData("""{"type":"ADD""")]
    public async Task When_the_thread_is_lost_it_begins_with_a_list_anew(string line)
    {
        _server.Lists.Enqueue(List("7", Item("a", "1"), Item("gone", "1")));
        _server.Lists.Enqueue(List("90", Item("a", "2")));
        var (mirror, end) = Start();
        var watch = await _server.WatchAsync();
        await HasAsync(mirror, "a=1 gone=1");
        await watch.WriteAsync(line + "\n");
        watch.End();

        (await _server.WatchAsync()).Query.ShouldContain("resourceVersion=90");
        await HasAsync(mirror, "a=2");
        await end();
    }

    [Fact]
    public async Task A_server_that_refuses_for_a_while_is_asked_again()
    {
        _server.Lists.Enqueue("");
        _server.Lists.Enqueue(List("1", Item("a", "1")));
        var (mirror, end) = Start();
        await HasAsync(mirror, "a=1");
        _server.Listed.ShouldBe(2);
        await end();
    }

    [Fact]
    public async Task What_is_written_says_how_and_what_is_there_already_is_no_failure()
    {
        var token = TestContext.Current.CancellationToken;
        _server.Answer = 409;
        (await _api.CreateAsync("/api/v1/things", new JsonObject { ["a"] = 1 }, token)).ShouldBeFalse();
        _server.Answer = 404;
        (await _api.MergeAsync("/api/v1/things/x", new JsonObject { ["a"] = null }, token)).ShouldBeFalse();
        await _api.DeleteAsync("/api/v1/things/x", "the-uid", token);
        _server.Answer = 403;
        (await Should.ThrowAsync<ApiException>(() => _api.DeleteAsync("/api/v1/things/x", null, token))).Status.ShouldBe(HttpStatusCode.Forbidden);

        _server.Written.ShouldBe([
            """POST /api/v1/things application/json {"a":1}""",
            """PATCH /api/v1/things/x application/merge-patch+json {"a":null}""",
            """DELETE /api/v1/things/x application/json {"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background","preconditions":{"uid":"the-uid"}}""",
            """DELETE /api/v1/things/x application/json {"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background"}"""]);
    }

    private (ObjectMirror<string> Mirror, Func<Task> End) Start()
    {
        var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var mirror = new ObjectMirror<string>(_api, "/api/v1/things", item => $"{item.Text("metadata", "name")}={item.Text("data")}", () => { });
        var running = mirror.RunAsync(end.Token);
        return (mirror, EndAsync);

        async Task EndAsync()
        {
            await end.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => running);
            end.Dispose();
        }
    }

    private static async Task HasAsync(ObjectMirror<string> mirror, string all)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (string.Join(' ', mirror.All.Order(StringComparer.Ordinal)) != all)
            await Task.Delay(5, patience.Token);
    }

    private static string List(string version, params string[] items) => $$$"""{"metadata":{"resourceVersion":"{{{version}}}"},"items":[{{{string.Join(',', items)}}}]}""";

    private static string Item(string name, string data, string version = "1") => $$$"""{"metadata":{"namespace":"shop","name":"{{{name}}}","resourceVersion":"{{{version}}}"},"data":"{{{data}}}"}""";

    private sealed class FakeApi : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly ConcurrentQueue<Watch> _watches = new();
        private readonly SemaphoreSlim _watched = new(0);

        public FakeApi()
        {
            using (var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                Address = new Uri($"http://127.0.0.1:{((IPEndPoint)socket.LocalEndPoint!).Port}/");
            }

            _listener.Prefixes.Add(Address.ToString());
            _listener.Start();
            _ = ServeAsync();
        }

        public Uri Address { get; }

        public ConcurrentQueue<string> Lists { get; } = new();

        public ConcurrentQueue<string> Written { get; } = new();

        public int Listed { get; private set; }

        public int Answer { get; set; } = 200;

        public async Task<Watch> WatchAsync()
        {
            (await _watched.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeTrue();
            _watches.TryDequeue(out var watch).ShouldBeTrue();
            return watch;
        }

        public void Dispose()
        {
            _listener.Close();
            _watched.Dispose();
        }

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                    await ServeAsync(await _listener.GetContextAsync());
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                // The end of the test.
            }
        }

        private async Task ServeAsync(HttpListenerContext context)
        {
            var request = context.Request;
            if (request.HttpMethod != "GET")
            {
                Written.Enqueue($"{request.HttpMethod} {request.Url!.AbsolutePath} {request.ContentType} {await new StreamReader(request.InputStream).ReadToEndAsync()}");
                context.Response.StatusCode = Answer;
                context.Response.Close();
                return;
            }

            if (request.QueryString["watch"] is null)
            {
                Listed++;
                var list = Lists.TryDequeue(out var text) ? text : "";
                context.Response.StatusCode = list.Length == 0 ? 503 : 200;
                context.Response.Close(Encoding.UTF8.GetBytes(list), willBlock: false);
                return;
            }

            context.Response.SendChunked = true;
            await context.Response.OutputStream.FlushAsync();
            _watches.Enqueue(new Watch(request.Url!.Query, context.Response));
            _watched.Release();
        }
    }

    private sealed class Watch(string query, HttpListenerResponse response)
    {
        public string Query => query;

        public Task SayAsync(string type, string item) => WriteAsync($$$"""{"type":"{{{type}}}","object":{{{item}}}}""" + "\n");

        public async Task WriteAsync(string text)
        {
            await response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text));
            await response.OutputStream.FlushAsync();
        }

        public void End() => response.Close();
    }
}
