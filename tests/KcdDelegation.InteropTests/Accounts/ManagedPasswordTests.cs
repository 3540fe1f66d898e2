using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Claims;
using KcdDelegation.Kerberos.Tests.AccountKeys;
using KcdDelegation.DirectoryServices;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Accounts;

/// <summary>Group managed service accounts of Samba 4.22, read over sealed connections and over TLS.</summary>
public sealed class ManagedPasswordTests
{
    private const string Reader = "conncomp$";

    private static readonly LabRealm s_realm = LabRealm.Samba22;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(DirectoryMechanism.Gssapi, false)]
    [InlineData(DirectoryMechanism.GssSpnego, false)]
    [InlineData(DirectoryMechanism.Gssapi, true)]
    public async Task A_member_reads_the_password_and_the_account_delegates(DirectoryMechanism mechanism, bool tls)
    {
        s_realm.Require();
        await using var setup = new Setup(Reader, mechanism, tls);
        using var password = await setup.Source.ReadAsync("gmsa$", Stop);
        password.QueryInterval.ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromDays(31));
        password.UnchangedInterval.ShouldBeLessThanOrEqualTo(password.QueryInterval);

        // The KDC accepts the key that is derived from the password, and opens nothing that another key encrypts.
        using var account = ServiceAccount.FromManagedPassword("gmsa$", setup.Source);
        await using var client = Setup.CreateClient(account);
        var ticket = await client.GetTicketAsync(
            KerberosPrincipal.Principal("alice", s_realm.Realm), ServicePrincipalName.Parse(s_realm.Spn("web")), Stop);
        ticket.User.Name.ShouldBe("alice");
        ticket.Flags.HasFlag(TicketFlags.Forwardable).ShouldBeTrue();
    }

    [Theory]
    [InlineData("gmsa$", "svc-connector", ManagedPasswordFailure.NotPermitted, "svc-connector, which is not among")]
    [InlineData("gmsaoff$", Reader, ManagedPasswordFailure.AccountDisabled, "disabled")]
    [InlineData("gmsanone$", Reader, ManagedPasswordFailure.AccountNotFound, "gmsanone$")]
    [InlineData("svc-web", Reader, ManagedPasswordFailure.AccountNotFound, "no group managed service account")]
    public async Task What_cannot_be_read_is_named(string account, string reader, ManagedPasswordFailure failure, string reason)
    {
        s_realm.Require();
        await using var setup = new Setup(reader, DirectoryMechanism.Gssapi, tls: false);
        var error = await Should.ThrowAsync<ManagedPasswordException>(() => setup.Source.ReadAsync(account, Stop));
        error.Failure.ShouldBe(failure, error.Message);
        error.Message.ShouldContain(reason);
    }

    [Fact]
    public async Task A_directory_that_is_away_and_a_reader_that_is_refused_are_distinguished()
    {
        s_realm.Require();
        await using var away = new Setup(Reader, DirectoryMechanism.Gssapi, tls: false, port: 9);
        (await Should.ThrowAsync<ManagedPasswordException>(() => away.Source.ReadAsync("gmsa$", Stop)))
            .Failure.ShouldBe(ManagedPasswordFailure.Unavailable);

        await using var refused = new Setup("svc-web", DirectoryMechanism.Gssapi, tls: false, password: "wrong");
        (await Should.ThrowAsync<ManagedPasswordException>(() => refused.Source.ReadAsync("gmsa$", Stop)))
            .Failure.ShouldBe(ManagedPasswordFailure.ReaderRefused);
    }

    /// <summary>The settings are all that a host writes; the backend is Apache.</summary>
    [Fact]
    public async Task A_host_delegates_by_its_settings_without_a_key_of_the_account()
    {
        s_realm.RequireWeb();
        var options = new KcdOptions { Realm = s_realm.Realm };
        options.UseDirectory();
        options.Kdcs.Add(s_realm.Kdc.ToString());
        options.ServiceAccount = new ServiceAccountOptions
        {
            Name = "gmsa$",
            ManagedPassword = new ManagedPasswordOptions { Reader = Reader, ReaderKeytab = s_realm.Keytab("conncomp") },
        };
        options.ServiceAccount.ManagedPassword.Servers.Add("dc22.ad22.test=127.0.0.12");
        options.Token.TenantId = "lab";
        options.Applications["web"] = new DelegatedApplication
        {
            InternalUrl = s_realm.Web("spnego/"),
            ServicePrincipalName = s_realm.Spn("web"),
            AllowPlainHttp = true,
            LoginIdentity = LoginIdentity.OnPremisesSamAccountName,
        };
        await using var client = DelegationClient.Create(options);
        var caller = new ClaimsPrincipal(new ClaimsIdentity(
            [new Claim("tid", "lab"), new Claim("onprem_sam_account_name", "alice")], "test"));
        var credential = await client.GetCredentialAsync("web", caller, Stop);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, s_realm.Web("spnego/"));
        request.Headers.Authorization = credential.CreateAuthorization(TokenFormat.Spnego);
        using var response = await http.SendAsync(request, Stop);
        response.EnsureSuccessStatusCode();
        (await response.Content.ReadAsStringAsync(Stop)).ShouldContain("alice");
    }

    /// <summary>A controller converts the password before it derives the key. The account here has a password with U+0000 and unpaired
    /// surrogates, and a source that returns it as a controller does.</summary>
    [Fact]
    public async Task A_password_with_null_characters_and_unpaired_surrogates_logs_on()
    {
        s_realm.Require();
        const string Account = "svc-anypassword";
        char[] units = [.. ManagedPasswordBlob.CreatePassword()];
        (units[1], units[3], units[5]) = ('\0', '\uD800', '\uDC00');
        // The domain requires characters of three kinds.
        (units[7], units[8], units[9]) = ('A', 'a', '1');
        var password = new string(units);
        await Lab.RunScriptAsync("samba22", ["tool", "user", "create", Account, Lab.Password], Stop);
        try
        {
            var encoded = Convert.ToBase64String(MemoryMarshal.AsBytes(password.AsSpan()));
            await Lab.RunScriptAsync("samba22", ["attribute", Account, "clearTextPassword", encoded], Stop);
            using var account = ServiceAccount.FromManagedPassword(Account, new FixedSource(ManagedPasswordBlob.Write(password)));
            await using var client = Setup.CreateClient(account);
            await client.LogOnAsync(Stop);
        }
        finally
        {
            await Lab.RunScriptAsync("samba22", ["tool", "user", "delete", Account], CancellationToken.None);
        }
    }

    [Fact]
    public async Task No_managed_password_is_in_the_memory_of_a_process_after_the_account_was_disposed()
    {
        s_realm.Require();
        var folder = AppContext.BaseDirectory.Replace("KcdDelegation.InteropTests", "RollingProcess", StringComparison.Ordinal);
        string[] arguments =
        [
            "managed", s_realm.Realm, s_realm.Kdc.Host, "dc22.ad22.test", Reader, s_realm.Keytab("conncomp"), "gmsa$",
        ];
        var (exitCode, output) = await RunAsync(Path.Combine(folder, "KcdDelegation.RollingProcess"), arguments);
        exitCode.ShouldBe(0, output);
        output.ShouldContain("no password in memory");
        // The search finds the password of an account that is in use.
        (await RunAsync(Path.Combine(folder, "KcdDelegation.RollingProcess"), [.. arguments, "held"])).ExitCode.ShouldBe(4);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start).ShouldNotBeNull();
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(Stop), process.StandardError.ReadToEndAsync(Stop));
        await process.WaitForExitAsync(Stop);
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>The commands of docs/setup.md for Samba, as printed.</summary>
    [Fact]
    public async Task The_printed_commands_create_an_account_that_delegates()
    {
        s_realm.Require();
        var name = $"g{Guid.NewGuid():N}"[..10];
        // The controller runs in a root of its own, in which the lab's state is visible.
        var folder = Directory.CreateDirectory(Lab.GetPath($"samba22/{name}"));
        try
        {
            await LabProgram.RunAsync("bash", ["-euc", GetPrintedCommands(name, folder.FullName)], "", Stop);
            using var reader = ServiceAccount.FromKeytab($"{name}R$", Path.Combine(folder.FullName, "gateway1.keytab"));
            await using var setup = new Setup(reader);
            using var account = ServiceAccount.FromManagedPassword($"{name}$", setup.Source);
            await using var client = Setup.CreateClient(account);
            var ada = KerberosPrincipal.Principal("alice", s_realm.Realm);
            (await client.GetTicketAsync(ada, ServicePrincipalName.Parse(s_realm.Spn("web")), Stop)).User.ShouldBe(ada);
        }
        finally
        {
            folder.Delete(recursive: true);
            // The script removes what exists: a failed command must not be hidden by the removal of what it did not create.
            var remove = $"""
                export LAB_DIR='{Lab.Directory}'
                cd '{Lab.Scripts}'
                ./samba22 tool computer delete {name}R || true
                ./samba22 tool service-account delete --name={name} -H {SamFile} || true
                """;
            await LabProgram.RunAsync("bash", ["-euc", remove], "", CancellationToken.None);
        }
    }

    private static string SamFile => Lab.GetPath("samba22/private/sam.ldb");

    private static string GetPrintedCommands(string name, string folder)
    {
        var page = File.ReadAllText(Path.Combine(Lab.Scripts, "..", "..", "docs", "setup.md"));
        var section = page[page.IndexOf("## A group managed service account", StringComparison.Ordinal)..];
        var commands = section.Split("```sh\n")[1].Split("```")[0]
            .Replace("GATEWAY1", $"{name}R", StringComparison.Ordinal)
            .Replace("/var/lib/samba/private/sam.ldb", SamFile, StringComparison.Ordinal)
            .Replace("gateway.contoso.com", $"{name}.{s_realm.Domain}", StringComparison.Ordinal)
            .Replace("erp.contoso.com", $"web.{s_realm.Domain}", StringComparison.Ordinal)
            .Replace("=gateway ", $"={name} ", StringComparison.Ordinal)
            .Replace("'gateway$'", $"'{name}$'", StringComparison.Ordinal)
            .Replace("gateway1.keytab", $"{folder}/gateway1.keytab", StringComparison.Ordinal);
        return $$"""
            export LAB_DIR='{{Lab.Directory}}'
            samba-tool() { '{{Path.Combine(Lab.Scripts, "samba22")}}' tool "$@"; }
            # The effect of `net ads enctypes set`, without its prompt for a password.
            net() { '{{Path.Combine(Lab.Scripts, "samba22")}}' attribute "$4" msDS-SupportedEncryptionTypes "$(printf %s "$5" | base64)"; }
            {{commands}}
            """;
    }

    private sealed class FixedSource(byte[] blob) : IManagedPasswordSource
    {
        public Task<ManagedPassword> ReadAsync(string account, CancellationToken cancellationToken) =>
            Task.FromResult(ManagedPassword.Parse(blob));
    }

    private sealed class Setup : IAsyncDisposable
    {
        private readonly ServiceAccount _account;
        private readonly S4UClient _reader;
        private readonly DirectoryClient _directory;

        public Setup(ServiceAccount account)
            : this(account.Name, DirectoryMechanism.Gssapi, tls: false, account: account)
        {
        }

        public Setup(
            string reader, DirectoryMechanism mechanism, bool tls, int? port = null, string? password = null,
            ServiceAccount? account = null)
        {
            _account = account ?? (password is not null ? ServiceAccount.FromPassword(reader, password)
                : reader == Reader ? ServiceAccount.FromKeytab(Reader, s_realm.Keytab("conncomp"))
                : ServiceAccount.FromPassword(reader, Lab.Password));
            _reader = CreateClient(_account);
            var options = new DirectoryClientOptions
            {
                Reader = _reader, Domain = s_realm.Domain, Mechanism = mechanism, UseTls = tls,
            };
            options.Servers.Add(new DirectoryServer("dc22.ad22.test", port, System.Net.IPAddress.Parse(s_realm.Kdc.Host)));
            if (tls)
                options.TrustAnchors.ImportFromPemFile(Lab.GetPath("samba22/private/tls/ca.pem"));
            _directory = new DirectoryClient(options);
            Source = new DirectoryPasswordSource(_directory, s_realm.Domain, reader);
        }

        public DirectoryPasswordSource Source { get; }

        public static S4UClient CreateClient(ServiceAccount account) => new(new S4UClientOptions
        {
            Realm = s_realm.Realm, Account = account, Kdcs = { [s_realm.Realm] = [s_realm.Kdc] },
        });

        public async ValueTask DisposeAsync()
        {
            await _directory.DisposeAsync();
            await _reader.DisposeAsync();
            _account.Dispose();
        }
    }
}
