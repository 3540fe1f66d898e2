using System.CommandLine;
using System.Security.Cryptography;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Files;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Recording;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary><c>kcd trace</c>: the exchanges behind a ticket, for a support case.</summary>
internal sealed class TraceCommand(CommandRunner runner, AccountOptions account)
{
    private const string Notes =
        """
        The transcript lists each request that was sent to a KDC and its reply: names, flags, types, sizes
        and times. It contains no key, no ticket, no password and no checksum.

        It contains the names of users, services, hosts and realms. With --anonymous, USER1, SERVICE1,
        HOST1, REALM1, ADDRESS1 and SID1 replace them, the same name always by the same word. Read the
        transcript before you publish it. The log of --verbose keeps the names.

        Examples:
          kcd trace --config appsettings.json --app erp --user ada
          kcd trace --realm CONTOSO.COM --account 'CONNECTOR$' --keytab connector.keytab \
              --user ada@contoso.com --spn HTTP/erp.contoso.com --anonymous > transcript.txt
        """;

    private const int MaxKeytabLength = 1 << 20;

    private readonly TargetOptions _target = new();

    private readonly Option<bool> _anonymous = new("--anonymous")
    {
        Description = "Replace the names of users, hosts and realms, and addresses, by USER1, HOST1 and so on.",
    };

    public Command Create()
    {
        var command = new DocumentedCommand("trace",
            "Get a ticket in a user's name and show every exchange with a KDC, without secrets.") { Notes = Notes };
        _target.AddTo(command);
        command.Add(_anonymous);
        account.AddTo(command);
        // The transcript contains what the library logs.
        runner.SetAction(command, RunAsync, LogLevel.None);
        return command;
    }

    private async Task<CommandResult> RunAsync(ParseResult parsed, ILoggerFactory log, CancellationToken cancellationToken)
    {
        var arguments = DelegationArguments.Read(parsed, account, _target);
        var recorder = new ExchangeRecorder(TimeProvider.System);
        var names = new TraceNames(parsed.GetValue(_anonymous));
        LearnNames(arguments, names);
        var (ticket, failure) = await GetTicketAsync(arguments, recorder, names, log, cancellationToken);
        // The first round learns the names that the second one replaces in texts.
        TraceResult.FromRecords(recorder, ticket, failure, names);
        return TraceResult.FromRecords(recorder, ticket, failure, names);
    }

    /// <summary>Gets the ticket, and ends every exchange before it returns.</summary>
    private async Task<(TicketResult? Ticket, FailureResult? Failure)> GetTicketAsync(
        DelegationArguments arguments, ExchangeRecorder recorder, TraceNames names, ILoggerFactory log, CancellationToken cancellationToken)
    {
        await using var session =
            await DelegationSession.OpenAsync(arguments.Settings, runner.Streams, log, recorder, cancellationToken);
        try
        {
            var ticket = await session.Client.GetTicketAsync(arguments.User, arguments.Service, cancellationToken);
            var result = TicketResult.FromTicket(ticket, session.Account);
            return names.IsAnonymous
                ? (result with
                {
                    User = names.Show(ticket.User), Service = names.Show(ticket.Service), DelegatedBy = names.Show(session.Account),
                }, null)
                : (result, null);
        }
        catch (KerberosException error)
        {
            return (null, FailureResult.FromFailure(KcdException.Explain(error), OptionNames.ReplaceKeys));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return (null, FailureResult.CreateInterrupted());
        }
    }

    /// <summary>Learns the names of the settings. Texts can contain them although no exchange does.</summary>
    private static void LearnNames(DelegationArguments arguments, TraceNames names)
    {
        var settings = arguments.Settings;
        names.ShowRealm(settings.Realm);
        names.ShowUser(settings.Account);
        names.Show(arguments.User);
        names.Show(arguments.Service);
        if (settings.Key.Kind != KeyFileKind.StandardInput)
            names.ShowFile(settings.Key.Path);
        if (names.IsAnonymous && settings.Key.Kind is KeyFileKind.Keytab or KeyFileKind.ReaderKeytab)
            LearnKeytab(settings.Key.Path, names);
        if (settings.Key.ManagedPassword is { } managed)
        {
            names.ShowRealm(managed.Realm);
            names.ShowUser(managed.Reader);
            foreach (var server in managed.Servers.Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries))
                names.ShowHost(KdcEndpoint.TryParse(server, 389, out var endpoint) ? endpoint.Host : server);
        }
        foreach (var (realm, kdcs) in settings.Kdcs)
        {
            names.ShowRealm(realm);
            foreach (var kdc in kdcs)
                names.ShowHost(kdc.Host);
        }
    }

    /// <summary>Learns the names in a keytab. The failure of an account without an entry lists them.</summary>
    private static void LearnKeytab(string path, TraceNames names)
    {
        byte[] file = [];
        try
        {
            // A pipe has the length 0, and reading it here would take the key from the client.
            if (new FileInfo(path).Length is 0 or > MaxKeytabLength)
                return;
            file = File.ReadAllBytes(path);
            foreach (var entry in KeytabReader.Read(file))
            {
                entry.Key?.Dispose();
                names.Show(new PrincipalName(entry.NameType, entry.Components));
                names.ShowRealm(entry.Realm);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // The client reads the file too and reports what is wrong with it. No name of an unreadable file is in a text.
        }
        finally
        {
            CryptographicOperations.ZeroMemory(file);
        }
    }
}
