using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Gateway.Tests.SignIn;

namespace KcdDelegation.Gateway.Tests.Hosting;

public sealed class AdminSocketTests
{
    [Theory]
    [InlineData("""{"user":"ada@contoso.test"}""", "ada")]
    [InlineData("""{"user":"ada"}""", "ada")]
    [InlineData("""{"application":"erp"}""", "ada bob")]
    [InlineData("""{"all":true}""", "ada bob")]
    public async Task Tickets_are_removed_and_requested_again(string request, string renewed)
    {
        await using var gateway = await StartAsync();
        foreach (var user in (string[])["ada", "bob"])
            (await gateway.GetAsync(user)).Status.ShouldBe(HttpStatusCode.OK);
        gateway.Realm.ClearTranscript();

        (await SendAsync(gateway, request)).ShouldStartWith("{\"tickets\":");

        foreach (var user in (string[])["ada", "bob"])
        {
            var before = gateway.Realm.Transcript.Count;
            (await gateway.GetAsync(user)).Body.ShouldBe($"{user}@CONTOSO.TEST");
            (gateway.Realm.Transcript.Count > before).ShouldBe(renewed.Contains(user, StringComparison.Ordinal), user);
        }
        gateway.Log.Find(6021).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("""{"user":"eve@contoso.test"}""", "{\"tickets\":0}")]
    [InlineData("""{"application":"absent"}""", "{\"error\":")]
    [InlineData("""{"all":false}""", "{\"error\":")]
    [InlineData("""{"user":"ada","all":true}""", "{\"error\":")]
    [InlineData("""[]""", "{\"error\":")]
    [InlineData("not JSON", "{\"error\":")]
    [InlineData("", "{\"error\":")]
    public async Task A_request_that_names_nothing_known_removes_nothing(string request, string answer)
    {
        await using var gateway = await StartAsync();
        await gateway.GetAsync("ada");
        gateway.Realm.ClearTranscript();

        (await SendAsync(gateway, request)).ShouldStartWith(answer);

        await gateway.GetAsync("ada");
        gateway.Realm.Transcript.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_checks_of_kcd_doctor_run_for_the_settings_in_effect()
    {
        await using var gateway = await StartAsync();

        var answer = await SendAsync(gateway, "GET /doctor?app=erp&user=ada HTTP/1.1\r\nHost: localhost\r\n\r\n");

        answer.ShouldStartWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n");
        var report = JsonNode.Parse(answer[answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)..])!;
        report["version"]!.GetValue<int>().ShouldBe(1);
        var findings = report["findings"]!.AsArray();
        findings.Count.ShouldBeGreaterThan(20);
        findings.ShouldNotContain(finding => finding!["verdict"]!.GetValue<string>() == "fix");
        findings.ShouldContain(finding => finding!["check"]!.GetValue<string>() == "delegation.ticket"
            && finding["verdict"]!.GetValue<string>() == "ok");
        // The tickets of the gateway itself are neither used nor removed.
        gateway.Log.Find(6021).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET /doctor?app=absent HTTP/1.1", "HTTP/1.1 404 ")]
    [InlineData("GET /doctor?token=x HTTP/1.1", "HTTP/1.1 400 ")]
    [InlineData("GET /doctor?user=a%40b%40c%00 HTTP/1.1", "HTTP/1.1 400 ")]
    [InlineData("GET /purge HTTP/1.1", "HTTP/1.1 404 ")]
    [InlineData("GET /doctor", "HTTP/1.1 400 ")]
    [InlineData("GET /doctor HTTP/2", "HTTP/1.1 400 ")]
    public async Task Another_request_of_HTTP_is_refused(string request, string answer)
    {
        await using var gateway = await StartAsync();

        (await SendAsync(gateway, $"{request}\r\n\r\n")).ShouldStartWith(answer);
    }

    [Fact]
    public async Task Only_the_user_of_the_gateway_can_use_the_socket_and_a_silent_client_does_not_block_it()
    {
        await using var gateway = await StartAsync();
        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(GetPath(gateway)).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var silent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await silent.ConnectAsync(new UnixDomainSocketEndPoint(GetPath(gateway)), TestContext.Current.CancellationToken);

        (await SendAsync(gateway, """{"all":true}""")).ShouldStartWith("{\"tickets\":");
    }

    [Theory]
    [InlineData("file")]
    [InlineData("folder")]
    [InlineData("socket")]
    public async Task A_path_that_is_in_use_is_an_error_and_what_is_there_stays(string kind)
    {
        await using var gateway = await TestGateway.CreateAsync();
        var path = Path.Combine(Path.GetDirectoryName(gateway.SettingsPath)!, "used");
        using var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        if (kind == "file")
            await File.WriteAllTextAsync(path, "a keytab", TestContext.Current.CancellationToken);
        else if (kind == "folder")
            Directory.CreateDirectory(path);
        else
        {
            other.Bind(new UnixDomainSocketEndPoint(path));
            other.Listen(1);
        }
        gateway.Settings["Operation"] = new JsonObject { ["AdminSocket"] = path };

        var error = await Should.ThrowAsync<GatewaySettingsException>(() => gateway.StartAsync());

        error.Errors.ShouldHaveSingleItem().ShouldStartWith($"Operation:AdminSocket \"{path}\" cannot be used: ");
        Path.Exists(path).ShouldBeTrue();
        if (kind == "file")
            (await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).ShouldBe("a keytab");
        if (kind == "socket")
        {
            using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await client.ConnectAsync(new UnixDomainSocketEndPoint(path), TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task The_socket_of_a_process_that_was_killed_is_replaced()
    {
        await using var gateway = await TestGateway.CreateAsync();
        var folder = Path.GetDirectoryName(gateway.SettingsPath)!;
        using (var killed = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            killed.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder, "first")));
            // The socket deletes the file of its own name when it is closed, which a killed process does not.
            File.Move(Path.Combine(folder, "first"), Path.Combine(folder, "admin.sock"));
        }
        gateway.Settings["Operation"] = new JsonObject { ["AdminSocket"] = Path.Combine(folder, "admin.sock") };

        await gateway.StartAsync();

        (await SendAsync(gateway, """{"all":true}""")).ShouldStartWith("{\"tickets\":");
        await gateway.StopAsync();
        File.Exists(Path.Combine(folder, "admin.sock")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("""{"user":"ada@contoso.test","sessions":true}""", "ada")]
    [InlineData("""{"user":"ADA@CONTOSO.TEST","sessions":true}""", "ada")]
    [InlineData("""{"user":"ada","sessions":true}""", "ada")]
    [InlineData("""{"all":true,"sessions":true}""", "ada bob")]
    [InlineData("""{"user":"ada@contoso.test"}""", "")]
    [InlineData("""{"user":"ad","sessions":true}""", "")]
    [InlineData("""{"user":"ada@contoso.test","sessions":false}""", "")]
    [InlineData("""{"application":"erp","sessions":true}""", "")]
    [InlineData("""{"sessions":true}""", "")]
    public async Task Sessions_end_at_every_application_if_the_request_says_so(string request, string ended)
    {
        var path = Path.Combine(Path.GetTempPath(), $"kcd-{Guid.NewGuid():N}.sock");
        await using var site = await SignInSite.StartAsync(settings => settings["Operation"] = new JsonObject { ["AdminSocket"] = path });
        var browsers = new Dictionary<string, TestBrowser>(StringComparer.Ordinal);
        foreach (var user in (string[])["ada", "bob"])
        {
            (site.Provider.User, site.Provider.SessionId) = (user, $"sid-{user}");
            browsers[user] = site.CreateBrowser();
            foreach (var application in (string[])[SignInSite.Erp, SignInSite.Wiki])
                (await browsers[user].OpenAsync(application)).Status.ShouldBe(HttpStatusCode.OK);
        }

        var answer = await SendAsync(path, request);

        foreach (var (user, browser) in browsers)
        {
            var hasEnded = ended.Contains(user, StringComparison.Ordinal);
            foreach (var application in (string[])[SignInSite.Erp, SignInSite.Wiki])
                (await browser.NavigateAsync(application)).Status
                    .ShouldBe(hasEnded ? HttpStatusCode.Found : HttpStatusCode.OK, $"{user} {application}");
        }
        if (ended.Length > 0)
        {
            var count = 2 * ended.Split(' ').Length;
            answer.ShouldContain(FormattableString.Invariant($"\"sessions\":{count}"));
            site.Gateway.Log.Find(6022).ShouldHaveSingleItem().ShouldContain(FormattableString.Invariant($"number of sessions: {count}"));
        }
    }

    [Fact]
    public async Task A_gateway_without_sessions_says_so_and_removes_no_tickets()
    {
        await using var gateway = await StartAsync();

        (await SendAsync(gateway, """{"all":true,"sessions":true}""")).ShouldContain("State is not set");
        gateway.Log.Find(6021).ShouldBeEmpty();
    }

    private static string GetPath(TestGateway gateway) => Path.Combine(Path.GetDirectoryName(gateway.SettingsPath)!, "admin.sock");

    private static async Task<TestGateway> StartAsync()
    {
        var gateway = await TestGateway.CreateAsync();
        gateway.Settings["Operation"] = new JsonObject { ["AdminSocket"] = GetPath(gateway) };
        await gateway.StartAsync();
        return gateway;
    }

    private static Task<string> SendAsync(TestGateway gateway, string request) => SendAsync(GetPath(gateway), request);

    private static async Task<string> SendAsync(string path, string request)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        for (var i = 0; i < 50 && !File.Exists(path); i++)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.UTF8.GetBytes(request + "\n"), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(new NetworkStream(socket), Encoding.UTF8);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
