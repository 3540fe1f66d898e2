using System.Collections.Concurrent;
using System.Diagnostics;
using KcdDelegation.InteropTests.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.AccountKeys;
using KcdDelegation.Kerberos.PasswordChange;

namespace KcdDelegation.InteropTests.Accounts;

/// <summary>Accounts that change their own password at the servers of the lab, under load and with an end at every step.</summary>
public sealed class PasswordRollTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();

    /// <summary>SIGKILL.</summary>
    private const int Kill = 9;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string PasswordFile => Path.Combine(_directory.FullName, "password");

    public static TheoryData<string, object> Steps
    {
        get
        {
            var steps = new TheoryData<string, object>();
            foreach (var part in (string[])["samba", "samba22", "mit"])
            {
                foreach (var step in Enum.GetValues<PasswordRollStep>())
                    steps.Add(part, step);
            }
            return steps;
        }
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("samba")]
    [InlineData("samba22")]
    [InlineData("mit")]
    public async Task Delegation_of_50_users_continues_through_three_changes(string part)
    {
        var realm = LabRealm.Get(part);
        realm.Require();
        await LabPasswords.AllowChangesAsync(realm, Stop);
        await Lab.RunScriptAsync(part, ["users", "50"], Stop);
        await using var company = await LabCompany.FoundAsync(realm, Stop);
        await using var gateway = await StartAsync(company);
        var service = ServicePrincipalName.Parse(company.Spn);
        var (served, failures, rolls) = (new int[51], new ConcurrentQueue<string>(), 0);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var users = Enumerable.Range(1, 50).Select(async index =>
        {
            var user = KerberosPrincipal.Principal($"u{index:D5}", realm.Realm);
            while (!done.IsCancellationRequested)
            {
                try
                {
                    (await gateway.Client.GetTicketAsync(user, service, Stop)).User.ShouldBe(user);
                    Interlocked.Increment(ref served[index]);
                    // Half of the users are new each time. The others keep their evidence, under the key of that time.
                    if (index % 2 == 0)
                        gateway.Client.Purge(user);
                    await Task.Delay(50, Stop);
                }
                catch (KerberosException error)
                {
                    failures.Enqueue($"after {rolls} changes: {error.Message}");
                }
            }
        }).ToList();
        for (; rolls < 3; rolls++)
        {
            await ServeEachUserTwiceAsync();
            (await gateway.Client.RollPasswordAsync(Stop)).ShouldBeTrue();
            gateway.Client.Purge(service);
        }
        await ServeEachUserTwiceAsync();
        await done.CancelAsync();
        await Task.WhenAll(users);
        failures.ShouldBeEmpty();

        // The second request of a user began after the last change. No request therefore sees two changes, which is one more than the
        // client recovers from.
        async Task ServeEachUserTwiceAsync()
        {
            var before = served.ToArray();
            while (failures.IsEmpty && Enumerable.Range(1, 50).Any(index => Volatile.Read(ref served[index]) < before[index] + 2))
                await Task.Delay(20, Stop);
        }
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_process_that_is_killed_after_a_step_locks_nothing_out(string part, object step)
    {
        var realm = LabRealm.Get(part);
        realm.Require();
        await LabPasswords.AllowChangesAsync(realm, Stop);
        await using var company = await LabCompany.FoundAsync(realm, Stop);
        await File.WriteAllTextAsync(PasswordFile, Lab.Password, Stop);
        (await RunProcessAsync(company, "kill", $"{step}")).ExitCode.ShouldBe(128 + Kill);
        await using (var gateway = await StartAsync(company))
        {
            await gateway.Client.LogOnAsync(Stop);
            await gateway.Client.RollPasswordAsync(Stop);
            File.Exists(PasswordFile + ".next").ShouldBeFalse();
        }
        using var account = ServiceAccount.FromPassword(company.Account, await File.ReadAllTextAsync(PasswordFile, Stop));
        await using var client = company.CreateClient(account);
        await client.LogOnAsync(Stop);
    }

    [Theory]
    [InlineData("samba22")]
    [InlineData("mit")]
    public async Task Of_two_processes_one_changes_the_password_and_the_other_one_uses_it(string part)
    {
        var realm = LabRealm.Get(part);
        realm.Require();
        await LabPasswords.AllowChangesAsync(realm, Stop);
        await using var company = await LabCompany.FoundAsync(realm, Stop);
        await using var gateway = await StartAsync(company);
        await gateway.Client.LogOnAsync(Stop);
        using (new PasswordRollFiles(PasswordFile).Claim().ShouldNotBeNull())
            (await RunProcessAsync(company, "roll")).ExitCode.ShouldBe(3);
        (await RunProcessAsync(company, "roll")).ExitCode.ShouldBe(0);
        (await File.ReadAllTextAsync(PasswordFile, Stop)).Length.ShouldBe(120);
        gateway.Client.PurgeAll();
        await gateway.Client.LogOnAsync(Stop);
        (await gateway.Client.RollPasswordAsync(Stop)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("full", "dd if=/dev/zero of=rest bs=4096 2>/dev/null || true")]
    [InlineData("read-only", "mount -o remount,ro .")]
    [InlineData("read-only after the first change", "touch password.lock; chmod 600 password.lock; mount -o remount,ro .")]
    public async Task A_full_or_read_only_disk_keeps_the_KDC_from_being_told(string disk, string command)
    {
        LabRealm.Mit.Require();
        await using var company = await LabCompany.FoundAsync(LabRealm.Mit, Stop);
        var (program, arguments) = GetProcess(company, "roll");
        // A file system of its own, in a mount namespace that ends with the process.
        var script = $"mount -t tmpfs -o size=64k kcd '{_directory.FullName}' && cd '{_directory.FullName}' && printf '%s' "
            + $"'{Lab.Password}' >password && {command} && exec \"$@\"";
        var (exitCode, output) = await RunAsync(
            "unshare", ["--mount", "--propagation", "private", "bash", "-euc", script, "_", program, .. arguments]);
        exitCode.ShouldNotBe(0, disk);
        output.ShouldContain("cannot be written", Case.Sensitive, disk);
        using var account = ServiceAccount.FromPassword(company.Account, Lab.Password);
        await using var client = company.CreateClient(account);
        await client.LogOnAsync(Stop);
    }

    [Theory]
    [InlineData("samba22")]
    [InlineData("mit")]
    public async Task No_password_is_in_the_memory_of_a_process_after_the_account_was_disposed(string part)
    {
        var realm = LabRealm.Get(part);
        realm.Require();
        await LabPasswords.AllowChangesAsync(realm, Stop);
        await using var company = await LabCompany.FoundAsync(realm, Stop);
        await File.WriteAllTextAsync(PasswordFile, Lab.Password, Stop);
        (await RunProcessAsync(company, "roll")).ExitCode.ShouldBe(0);
        var (exitCode, output) = await RunProcessAsync(company, "search");
        exitCode.ShouldBe(0, output);
        output.ShouldContain("no password in memory");
        // The search finds the password of an account that is in use.
        (await RunProcessAsync(company, "held")).ExitCode.ShouldBe(4);
    }

    /// <summary>Runs tests/RollingProcess, and returns its exit code and its output.</summary>
    private Task<(int ExitCode, string Output)> RunProcessAsync(LabCompany company, params string[] mode)
    {
        var (program, arguments) = GetProcess(company, mode);
        return RunAsync(program, arguments);
    }

    private (string Program, string[] Arguments) GetProcess(LabCompany company, params string[] mode)
    {
        var folder = AppContext.BaseDirectory.Replace("KcdDelegation.InteropTests", "RollingProcess", StringComparison.Ordinal);
        var (realm, server) = (company.Realm, LabPasswords.GetServer(company.Realm));
        return (Path.Combine(folder, "KcdDelegation.RollingProcess"),
            [realm.Realm, $"{realm.Kdc}", $"{server}", company.Account, PasswordFile, .. mode]);
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

    /// <summary>Runs the commands of the documentation, with other names, and starts a gateway with the account and the file.</summary>
    [Theory]
    [InlineData("samba")]
    [InlineData("samba22")]
    public async Task The_commands_of_the_setup_page_create_a_computer_account_that_changes_its_password_at_the_first_start(string part)
    {
        var realm = LabRealm.Get(part);
        realm.Require();
        await LabPasswords.AllowChangesAsync(realm, Stop);
        var name = $"T{Guid.NewGuid():N}"[..10].ToUpperInvariant();
        try
        {
            await LabProgram.RunAsync("bash", ["-euc", GetPrintedCommands(realm, name)], "", Stop);
            File.Move(Path.Combine(_directory.FullName, "connector.password"), PasswordFile);
            var first = await File.ReadAllTextAsync(PasswordFile, Stop);
            await using var gateway = Start(realm, $"{name}$");
            for (var wait = 0; wait < 200 && await File.ReadAllTextAsync(PasswordFile, Stop) == first; wait++)
                await Task.Delay(50, Stop);
            (await File.ReadAllTextAsync(PasswordFile, Stop)).Length.ShouldBe(120);
            var ada = KerberosPrincipal.Principal("alice", realm.Realm);
            (await gateway.Client.GetTicketAsync(ada, ServicePrincipalName.Parse(realm.Spn("web")), Stop)).User.ShouldBe(ada);
        }
        finally
        {
            await Lab.RunScriptAsync(part, ["tool", "computer", "delete", name], CancellationToken.None);
        }
    }

    /// <summary>Returns a script with the commands of docs/setup.md for Samba. `samba-tool` and `net ads` act on the domain of the
    /// lab.</summary>
    private string GetPrintedCommands(LabRealm realm, string name)
    {
        var page = File.ReadAllText(Path.Combine(Lab.Scripts, "..", "..", "docs", "setup.md"));
        var section = page[page.IndexOf("## A computer account that changes its own password", StringComparison.Ordinal)..];
        var commands = section.Split("```sh\n")[1].Split("```")[0]
            .Replace("CONNECTOR", name, StringComparison.Ordinal)
            .Replace("gateway.contoso.com", $"{name.ToLowerInvariant()}.{realm.Domain}", StringComparison.Ordinal)
            .Replace("erp.contoso.com", $"web.{realm.Domain}", StringComparison.Ordinal);
        var domain = string.Join(',', realm.Domain.Split('.').Select(label => $"DC={label}"));
        return $$"""
            samba-tool() { '{{Path.Combine(Lab.Scripts, realm.Part)}}' tool "$@"; }
            # The effect of `net ads enctypes set`, without its prompt for a password.
            net() {
              types=msDS-SupportedEncryptionTypes
              printf '%s\n' 'dn: CN={{name}},CN=Computers,{{domain}}' 'changetype: modify' "replace: $types" "$types: $5" |
                ldapmodify -x -H ldap://{{realm.Kdc.Host}} -D administrator@{{realm.Domain}} -w '{{Lab.Password}}'
            }
            export LAB_DIR='{{Lab.Directory}}'
            cd '{{_directory.FullName}}'
            {{commands}}
            """;
    }

    private async Task<Gateway> StartAsync(LabCompany company)
    {
        if (!File.Exists(PasswordFile))
            await File.WriteAllTextAsync(PasswordFile, Lab.Password, Stop);
        return Start(company.Realm, company.Account);
    }

    private Gateway Start(LabRealm realm, string name)
    {
        var account = ServiceAccount.FromRollingPasswordFile(name, PasswordFile);
        var options = new S4UClientOptions
        {
            Realm = realm.Realm, Account = account, PasswordServers = [LabPasswords.GetServer(realm)],
        };
        options.Kdcs[realm.Realm] = [realm.Kdc];
        return new Gateway(account, new S4UClient(options));
    }

    private sealed record Gateway(ServiceAccount Account, S4UClient Client) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            Account.Dispose();
        }
    }
}
