using System.Collections.Concurrent;
using KcdDelegation.Kerberos.AccountKeys;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.PasswordChange;
using KcdDelegation.Testing;
using KcdDelegation.Testing.Listening;

namespace KcdDelegation.Kerberos.Tests.PasswordChange;

/// <summary>An account that changes its own password: the flow, an end at every step, faults of the server and of the disk.</summary>
public sealed class PasswordRollTests : IAsyncDisposable
{
    private static readonly ServicePrincipalName Web = ServicePrincipalName.Parse("HTTP/web");

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();
    private readonly CapturingLogger _log = new();
    private readonly TestRealm _realm = TestRealm.Start().Service("HTTP/web")
        .Account("gw$", mayDelegateTo: ["HTTP/web"], password: "Initial-Passw0rd");

    public PasswordRollTests()
    {
        for (var user = 0; user < 50; user++)
            _realm.User($"u{user}");
        File.WriteAllText(PasswordFile, "Initial-Passw0rd\n");
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string PasswordFile => Path.Combine(_directory.FullName, "password");

    private string Current => File.ReadAllText(PasswordFile).TrimEnd();

    public async ValueTask DisposeAsync()
    {
        await _realm.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task The_password_is_replaced_by_a_generated_one_and_the_old_one_is_kept()
    {
        await using var gateway = Start();
        (await gateway.Client.RollPasswordAsync(Stop)).ShouldBeTrue();

        Current.Length.ShouldBe(120);
        (await LogsOnAsync(Current)).ShouldBeTrue();
        (await LogsOnAsync("Initial-Passw0rd")).ShouldBeFalse();
        File.Exists(PasswordFile + ".next").ShouldBeFalse();
        OldPassword.Read(File.ReadAllBytes(PasswordFile + ".old")).Count.ShouldBe(1);
        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in (string[])[PasswordFile, PasswordFile + ".old", PasswordFile + ".lock"])
                File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
        }
        _log.Events.ShouldContain(entry => entry.Id == 2021);
    }

    [Fact]
    public async Task Delegation_of_50_users_continues_through_three_changes()
    {
        await using var gateway = Start();
        var (served, failures) = (0, new ConcurrentQueue<string>());
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var users = Enumerable.Range(0, 50).Select(async index =>
        {
            var user = KerberosPrincipal.Principal($"u{index}", _realm.Name);
            while (!done.IsCancellationRequested)
            {
                try
                {
                    (await gateway.Client.GetTicketAsync(user, Web, Stop)).User.ShouldBe(user);
                    Interlocked.Increment(ref served);
                    gateway.Client.Purge(user);
                }
                catch (KerberosException error)
                {
                    failures.Enqueue(error.Message);
                }
            }
        }).ToList();
        for (var roll = 0; roll < 3; roll++)
        {
            await Task.Delay(100, Stop);
            (await gateway.Client.RollPasswordAsync(Stop)).ShouldBeTrue();
        }
        await Task.Delay(100, Stop);
        await done.CancelAsync();
        await Task.WhenAll(users);
        failures.ShouldBeEmpty();
        served.ShouldBeGreaterThan(150);
    }

    [Fact]
    public async Task Tickets_under_the_old_keys_are_accepted_until_they_end_also_by_a_new_process()
    {
        var before = _realm.IssueTicket("u1", "HTTP/gw");
        await using (var gateway = Start())
        {
            for (var roll = 0; roll < 3; roll++)
                await gateway.Client.RollPasswordAsync(Stop);
            (await gateway.Client.AcceptAsync(CreateToken(before), Stop)).Principal.Name.ShouldBe("u1");
        }
        await using var next = Start();
        (await next.Client.AcceptAsync(CreateToken(before), Stop)).Principal.Name.ShouldBe("u1");
        (await next.Client.AcceptAsync(CreateToken(_realm.IssueTicket("u2", "HTTP/gw")), Stop)).Principal.Name.ShouldBe("u2");
    }

    [Fact]
    public async Task Evidence_under_the_new_key_is_opened_before_the_new_password_is_the_current_one()
    {
        await using var gateway = Start();
        await gateway.Client.LogOnAsync(Stop);
        gateway.Client.Roller!.StepCompleted = completed =>
        {
            if (completed == PasswordRollStep.Told)
                throw new ProcessEndedException();
        };
        await Should.ThrowAsync<ProcessEndedException>(async () => await gateway.Client.RollPasswordAsync(Stop));
        using var claim = await ClaimAsync();
        _realm.ClearTranscript();
        (await gateway.Client.GetTicketAsync(KerberosPrincipal.Principal("u1", _realm.Name), Web, Stop)).User.Name.ShouldBe("u1");
        _realm.Transcript.ShouldBe(["SELF u1>gw$ ok", "PROXY u1>HTTP/web ok"]);
    }

    [Fact]
    public async Task Old_keys_are_forgotten_after_their_lifetime()
    {
        var before = _realm.IssueTicket("u1", "HTTP/gw");
        await using var gateway = Start(new PasswordRollOptions { OldKeyLifetime = TimeSpan.Zero });
        await gateway.Client.RollPasswordAsync(Stop);
        await Should.ThrowAsync<KerberosException>(async () => await gateway.Client.AcceptAsync(CreateToken(before), Stop));
    }

    [Theory]
    [InlineData(PasswordRollStep.Stored)]
    [InlineData(PasswordRollStep.Told)]
    [InlineData(PasswordRollStep.Confirmed)]
    [InlineData(PasswordRollStep.OldKept)]
    [InlineData(PasswordRollStep.Promoted)]
    public async Task A_process_that_ends_after_a_step_locks_nothing_out(object step)
    {
        await using (var gateway = Start())
        {
            gateway.Client.Roller!.StepCompleted = completed =>
            {
                if (completed == (PasswordRollStep)step)
                    throw new ProcessEndedException();
            };
            await Should.ThrowAsync<ProcessEndedException>(async () => await gateway.Client.RollPasswordAsync(Stop));
        }
        await RecoversAsync();
    }

    [Theory]
    [InlineData("closed")]
    [InlineData("forged")]
    public async Task A_lost_reply_to_a_change_that_was_carried_out_is_resolved_by_a_log_on(string fault)
    {
        _realm.PasswordService.Deliver = delivery => fault == "closed"
            ? delivery with { Mode = DeliveryMode.Close }
            : delivery with { Answer = new byte[] { 1, 2, 3 } };
        await using (var gateway = Start())
        {
            (await gateway.Client.RollPasswordAsync(Stop)).ShouldBeTrue();
            _realm.PasswordService.Results.ShouldBe(1);
        }
        _realm.PasswordService.Deliver = null;
        await RecoversAsync();
    }

    [Fact]
    public async Task A_lost_reply_to_a_change_that_was_not_carried_out_keeps_both_passwords_and_repeats_the_same_one()
    {
        _realm.PasswordService.IsBehind = true;
        _realm.PasswordService.Deliver = delivery => delivery with { Mode = DeliveryMode.Close };
        await using (var gateway = Start())
        {
            var error = await Should.ThrowAsync<KerberosException>(async () => await gateway.Client.RollPasswordAsync(Stop));
            error.Exchange.ShouldBe(KerberosExchange.PasswordChange);
            error.Detail.ShouldContain("both are kept");
        }
        var pending = File.ReadAllText(PasswordFile + ".next");
        (_realm.PasswordService.IsBehind, _realm.PasswordService.Deliver) = (false, null);
        await RecoversAsync(expected: pending);
    }

    [Fact]
    public async Task A_change_that_has_not_reached_every_KDC_works_with_both_passwords()
    {
        _realm.PasswordService.IsBehind = true;
        await using (var gateway = Start())
        {
            var error = await Should.ThrowAsync<KerberosException>(async () => await gateway.Client.RollPasswordAsync(Stop));
            error.Detail.ShouldContain("not confirmed");
            // The schedule of the client does not continue the change meanwhile.
            using var claim = await ClaimAsync();
            await gateway.Client.LogOnAsync(Stop);
            // The change arrives at the KDC that is asked.
            _realm.RollKeys("gw$", File.ReadAllText(PasswordFile + ".next"));
            gateway.Client.PurgeAll();
            _realm.ClearTranscript();
            await gateway.Client.LogOnAsync(Stop);
            _realm.Transcript.ShouldBe(["AS gw$ KDC_ERR_PREAUTH_FAILED", "AS gw$ ok"]);
        }
        _realm.PasswordService.IsBehind = false;
        await RecoversAsync();
    }

    [Fact]
    public async Task A_KDC_that_still_has_the_old_password_after_the_change_gets_the_old_one()
    {
        await using var gateway = Start();
        await gateway.Client.RollPasswordAsync(Stop);
        var rolled = Current;
        _realm.RollKeys("gw$", "Initial-Passw0rd");
        gateway.Client.PurgeAll();
        _realm.ClearTranscript();
        await gateway.Client.LogOnAsync(Stop);
        _realm.Transcript.ShouldBe(["AS gw$ KDC_ERR_PREAUTH_FAILED", "AS gw$ ok"]);
        // And the new one again, when the change arrives.
        _realm.RollKeys("gw$", rolled);
        gateway.Client.PurgeAll();
        await gateway.Client.LogOnAsync(Stop);
    }

    [Fact]
    public async Task A_refused_change_leaves_the_password_and_nothing_pending()
    {
        _realm.PasswordService.Refusal = new PasswordResult(PasswordResultCode.PolicyViolation, "too soon");
        await using (var gateway = Start())
        {
            var error = await Should.ThrowAsync<KerberosException>(async () => await gateway.Client.RollPasswordAsync(Stop));
            error.Detail.ShouldContain("too soon");
            error.Detail.ShouldContain("minimum password age");
            (error.Account, error.Realm).ShouldBe(("gw$", _realm.Name));
        }
        Current.ShouldBe("Initial-Passw0rd");
        File.Exists(PasswordFile + ".next").ShouldBeFalse();
        _realm.PasswordService.Refusal = null;
        await RecoversAsync();
    }

    /// <summary>The first change may have been carried out although its reply was lost; then the second request is against the
    /// policy.</summary>
    [Fact]
    public async Task A_refusal_of_a_continued_change_does_not_discard_the_password_that_the_KDC_may_have()
    {
        await File.WriteAllTextAsync(PasswordFile + ".next", "Pending-Passw0rd", Stop);
        _realm.PasswordService.Refusal = new PasswordResult(PasswordResultCode.PolicyViolation, "too soon");
        await using (var gateway = Start())
        {
            await Should.ThrowAsync<KerberosException>(async () => await gateway.Client.RollPasswordAsync(Stop));
            File.ReadAllText(PasswordFile + ".next").ShouldBe("Pending-Passw0rd");
            await gateway.Client.LogOnAsync(Stop);
        }
        _realm.PasswordService.Refusal = null;
        await RecoversAsync();
    }

    [Fact]
    public async Task A_disk_that_cannot_be_written_keeps_the_KDC_from_being_told()
    {
        // A rename over a directory fails, as every write does on a full or read-only disk.
        Directory.CreateDirectory(PasswordFile + ".next");
        await using (var gateway = Start())
        {
            _realm.ClearTranscript();
            var error = await Should.ThrowAsync<KerberosException>(async () => await gateway.Client.RollPasswordAsync(Stop));
            error.Detail.ShouldContain("cannot be written");
            _realm.Transcript.ShouldBeEmpty();
            _realm.PasswordService.Results.ShouldBe(0);
            await gateway.Client.LogOnAsync(Stop);
        }
        Directory.Delete(PasswordFile + ".next");
        await RecoversAsync();
    }

    [Fact]
    public async Task A_link_to_a_password_is_not_replaced_and_the_KDC_is_not_told()
    {
        File.Move(PasswordFile, PasswordFile + ".target");
        File.CreateSymbolicLink(PasswordFile, PasswordFile + ".target");
        await using var gateway = Start();
        var error = await Should.ThrowAsync<KerberosException>(async () => await gateway.Client.RollPasswordAsync(Stop));
        error.Detail.ShouldContain("is a link");
        _realm.PasswordService.Results.ShouldBe(0);
        await gateway.Client.LogOnAsync(Stop);
    }

    [Fact]
    public async Task A_disk_that_fails_after_the_KDC_was_told_keeps_the_account_usable()
    {
        Directory.CreateDirectory(PasswordFile + ".old");
        await using (var gateway = Start())
        {
            await Should.ThrowAsync<KerberosException>(async () => await gateway.Client.RollPasswordAsync(Stop));
            await gateway.Client.LogOnAsync(Stop);
        }
        Directory.Delete(PasswordFile + ".old");
        await RecoversAsync();
    }

    [Fact]
    public async Task Only_one_of_two_processes_changes_the_password_and_the_other_one_picks_it_up()
    {
        await using var first = Start();
        await using var second = Start();
        await second.Client.LogOnAsync(Stop);
        using (await ClaimAsync())
            (await first.Client.RollPasswordAsync(Stop)).ShouldBeFalse();
        (await first.Client.RollPasswordAsync(Stop)).ShouldBeTrue();
        second.Client.PurgeAll();
        _realm.ClearTranscript();
        await second.Client.LogOnAsync(Stop);
        _realm.Transcript.ShouldBe(["AS gw$ ok"]);
    }

    [Fact]
    public async Task Concurrent_requests_of_several_clients_change_the_password_one_after_the_other()
    {
        await using var first = Start();
        await using var second = Start();
        var rolls = await Task.WhenAll(Enumerable.Range(0, 6).Select(async index =>
            await (index % 2 == 0 ? first : second).Client.RollPasswordAsync(Stop)));
        rolls.ShouldContain(true);
        _realm.PasswordService.Results.ShouldBe(rolls.Count(rolled => rolled));
        await RecoversAsync();
    }

    [Fact]
    public async Task A_wrong_current_and_pending_password_are_each_proven_once()
    {
        await File.WriteAllTextAsync(PasswordFile + ".next", "Pending-Passw0rd", Stop);
        _realm.RollKeys("gw$", "set-by-an-administrator");
        using (new PasswordRollFiles(PasswordFile).Claim())
        {
            await using var gateway = Start();
            for (var attempt = 0; attempt < 5; attempt++)
                await Should.ThrowAsync<KerberosException>(async () => await gateway.Client.LogOnAsync(Stop));
            _realm.Transcript.ShouldBe(["AS gw$ KDC_ERR_PREAUTH_FAILED", "AS gw$ KDC_ERR_PREAUTH_FAILED"]);
        }
    }

    [Fact]
    public async Task A_password_that_is_old_is_changed_without_a_request()
    {
        File.SetLastWriteTimeUtc(PasswordFile, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-8));
        await using var gateway = Start();
        for (var wait = 0; wait < 100 && !_log.Events.Any(entry => entry.Id == 2021); wait++)
            await Task.Delay(50, Stop);
        Current.Length.ShouldBe(120);
        await RecoversAsync();
    }

    [Theory]
    [InlineData(-6)]
    [InlineData(400)]
    public async Task A_password_that_is_young_or_from_a_future_clock_is_not_changed(int days)
    {
        File.SetLastWriteTimeUtc(PasswordFile, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(days));
        await using var gateway = Start();
        (await gateway.Client.Roller!.RollAsync(isRequested: false, Stop)).ShouldBeFalse();
        Current.ShouldBe("Initial-Passw0rd");
    }

    [Fact]
    public async Task No_password_is_logged_or_in_an_error_and_no_file_but_the_documented_ones_is_left()
    {
        await using (var gateway = Start())
        {
            await gateway.Client.RollPasswordAsync(Stop);
            var first = Current;
            _realm.PasswordService.Deliver = delivery => delivery with { Mode = DeliveryMode.Close };
            _realm.PasswordService.IsBehind = true;
            var error = await Should.ThrowAsync<KerberosException>(async () => await gateway.Client.RollPasswordAsync(Stop));
            using var claim = await ClaimAsync();
            string[] secrets = ["Initial-Passw0rd", first, File.ReadAllText(PasswordFile + ".next")];
            foreach (var secret in secrets)
            {
                error.ToString().ShouldNotContain(secret);
                _log.Events.ShouldNotContain(entry => entry.Text.Contains(secret, StringComparison.Ordinal));
            }
        }
        _directory.GetFiles().Select(file => file.Name).Order(StringComparer.Ordinal)
            .ShouldBe(["password", "password.lock", "password.next", "password.old"]);
    }

    [Fact]
    public async Task A_file_that_an_ended_process_left_half_written_is_removed_and_not_used()
    {
        var leftover = Path.Combine(_directory.FullName, ".password.next.0123456789abcdef");
        await File.WriteAllTextAsync(leftover, "half", Stop);
        await using var gateway = Start();
        await gateway.Client.RollPasswordAsync(Stop);
        File.Exists(leftover).ShouldBeFalse();
        await RecoversAsync();
    }

    [Fact]
    public async Task Another_account_does_not_change_its_password()
    {
        await using var client = _realm.CreateClient("gw$");
        await Should.ThrowAsync<InvalidOperationException>(async () => await client.RollPasswordAsync(Stop));
    }

    [Fact]
    public void Generated_passwords_have_every_class_of_characters_and_no_part_of_the_name()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < 200; i++)
        {
            using var password = GeneratedPassword.Create("gw-abc$");
            using var bytes = password.ToUtf8();
            var text = System.Text.Encoding.ASCII.GetString(bytes.Span);
            text.Length.ShouldBe(120);
            text.ShouldMatch("^[A-Za-z0-9_-]{120}$");
            text.ShouldMatch("[A-Z]");
            text.ShouldMatch("[a-z]");
            text.ShouldMatch("[0-9]");
            text.ShouldMatch("[_-]");
            text.Contains("abc", StringComparison.OrdinalIgnoreCase).ShouldBeFalse();
            seen.Add(text).ShouldBeTrue();
        }
    }

    /// <summary>Starts a new process in effect: nothing is in memory. While another one holds the lock, it must log on; then it completes
    /// the change, after which its password is the KDC's.</summary>
    private async Task RecoversAsync(string? expected = null)
    {
        _realm.ClearTranscript();
        using (await ClaimAsync())
        {
            await using var process = Start();
            (await process.Client.GetTicketAsync(KerberosPrincipal.Principal("u1", _realm.Name), Web, Stop)).User.Name.ShouldBe("u1");
            // A wrong password was proven once at most.
            _realm.Transcript.Count(line => line.Contains("PREAUTH_FAILED", StringComparison.Ordinal)).ShouldBeLessThanOrEqualTo(1);
        }
        await using (var process = Start())
        {
            for (var wait = 0; wait < 100 && File.Exists(PasswordFile + ".next"); wait++)
                await Task.Delay(50, Stop);
            File.Exists(PasswordFile + ".next").ShouldBeFalse();
            (await LogsOnAsync(Current)).ShouldBeTrue();
            if (expected is not null)
                Current.ShouldBe(expected);
            (await process.Client.RollPasswordAsync(Stop)).ShouldBeTrue();
        }
        (await LogsOnAsync(Current)).ShouldBeTrue();
    }

    /// <summary>Takes the lock, as another process that changes the password.</summary>
    private async Task<FileStream> ClaimAsync()
    {
        while (true)
        {
            if (new PasswordRollFiles(PasswordFile).Claim() is { } claim)
                return claim;
            await Task.Delay(10, Stop);
        }
    }

    private async Task<bool> LogsOnAsync(string password)
    {
        using var account = ServiceAccount.FromPassword("gw$", password);
        await using var client = CreateClient(account);
        try
        {
            await client.LogOnAsync(Stop);
            return true;
        }
        catch (KerberosException error) when (error.Code == KerberosErrorCode.PreAuthenticationFailed)
        {
            return false;
        }
    }

    private static byte[] CreateToken(ServiceTicket ticket)
    {
        var template = ticket.CreateApRequest();
        var token = new byte[template.Prefix.Length + template.TailLength];
        template.Prefix.CopyTo(token);
        template.WriteTail(token.AsSpan(template.Prefix.Length));
        return token;
    }

    private Gateway Start(PasswordRollOptions? options = null)
    {
        var account = ServiceAccount.FromRollingPasswordFile("gw$", PasswordFile, options);
        return new Gateway(account, CreateClient(account));
    }

    private S4UClient CreateClient(ServiceAccount account)
    {
        var options = new S4UClientOptions
        {
            Realm = _realm.Name, Account = account, LoggerFactory = new CapturingLoggerFactory(_log),
            PasswordServers = [_realm.PasswordEndpoint],
        };
        options.Kdcs[_realm.Name] = [_realm.Endpoint];
        return new S4UClient(options);
    }

    /// <summary>A process of a gateway.</summary>
    private sealed record Gateway(ServiceAccount Account, S4UClient Client) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            Account.Dispose();
        }
    }

    private sealed class ProcessEndedException : Exception;
}
