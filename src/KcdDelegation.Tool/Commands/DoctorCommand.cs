using System.CommandLine;
using System.Text;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Kerberos.Files;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Settings;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary><c>kcd doctor</c>: finds out why delegation fails.</summary>
internal sealed class DoctorCommand(CommandRunner runner)
{
    private const string Notes =
        """
        Checks identity, delegation, target and domain, and prints one line for each check: OK, FIX (correct
        this), LOOK (know this) or SKIPPED. It reads and asks; it changes nothing and prints no secret. The
        account's key is proven once, at one KDC, so that a wrong key does not lock the account.

        Without --user, the checks that need a ticket in a user's name are skipped. A second user
        (--other-user) shows whether a fault concerns one user only.

        The exit code is 1 if there is a FIX, and 0 otherwise. It is 3 if a KDC, a directory server or a backend
        did not answer and nothing else is wrong.

        Examples:
          kcd doctor --config gateway.json
          kcd doctor --config gateway.json --app erp --user ada@contoso.com
          kcd doctor --config gateway.json --app erp --user ada --html report.html
          kcd doctor --config gateway.json --json > today.json
          kcd doctor --config gateway.json --compare yesterday.json
        """;

    private readonly Option<string> _config = new("--config")
    {
        Description = "The settings of a host or of the gateway (JSON, section \"Kcd\"). Required.",
        HelpName = "FILE",
    };

    private readonly Option<string[]> _applications = new("--app")
    {
        Description = "An application to examine. Can be repeated. Default: all.",
        HelpName = "NAME",
        AllowMultipleArgumentsPerToken = false,
    };

    private readonly Option<string> _user = new("--user")
    {
        Description = "The user to act as: a user principal name or an account name.",
        HelpName = "USER",
    };

    private readonly Option<string> _userRealm = new("--user-realm")
    {
        Description = "The realm of the users. Default: that of the application.",
        HelpName = "REALM",
    };

    private readonly Option<string> _otherUser = new("--other-user")
    {
        Description = "A second user, to compare.",
        HelpName = "USER",
    };

    private readonly Option<string> _token = new("--token")
    {
        Description = "The file with an access token (JWT) of the user; - reads standard input.",
        HelpName = "FILE|-",
    };

    private readonly Option<string[]> _only = new("--only")
    {
        Description = "Make only this check, by its identifier. Can be repeated.",
        HelpName = "CHECK",
        AllowMultipleArgumentsPerToken = false,
    };

    private readonly Option<string> _html = new("--html")
    {
        Description = "Also write the report as one HTML page, which only its owner can read.",
        HelpName = "FILE",
    };

    private readonly Option<string> _compare = new("--compare")
    {
        Description = "Compare with an earlier report of --json, or with that of another host.",
        HelpName = "FILE",
    };

    public Command Create()
    {
        var command = new DocumentedCommand("doctor", "Find out why delegation fails: checks, evidence, and the commands that correct it.")
        {
            Notes = Notes,
        };
        foreach (var option in new Option[] { _config, _applications, _user, _userRealm, _otherUser, _token, _only, _html, _compare })
            command.Add(option);
        runner.SetAction(command, RunAsync, LogLevel.None);
        return command;
    }

    private async Task<CommandResult> RunAsync(ParseResult parsed, ILoggerFactory log, CancellationToken cancellationToken)
    {
        var missing = new MissingOptions();
        var config = parsed.GetValue(_config) ?? missing.Add("the settings", "--config FILE");
        missing.ThrowIfAny();
        var page = ReadPagePath(parsed);
        var earlier = parsed.GetValue(_compare) is { } compared
            ? await EarlierReport.ReadAsync(_compare.Name, compared, cancellationToken)
            : null;
        var options = ConfigurationFile.Read(config);
        var applications = parsed.GetValue(_applications) ?? [];
        foreach (var name in applications)
            _ = ConfiguredApplication.Find(options, name);
        if (!SettingsParser.TryParse(options, out var settings, out var errors))
        {
            var refused = DoctorResult.FromSettingsErrors(config, errors, GetCommandLine(parsed, config, applications));
            return await WritePageAsync(refused.CompareWith(earlier), page, cancellationToken);
        }
        var only = parsed.GetValue(_only) ?? [];
        if (only.FirstOrDefault(
            id => !DelegationDoctor.Checks.Any(check => string.Equals(check.Id, id, StringComparison.OrdinalIgnoreCase))) is { } unknown)
        {
            throw new UsageException(
                $"--only: There is no check {PrintableText.Quoted(unknown)}. Checks: "
                + string.Join(", ", DelegationDoctor.Checks.Select(check => check.Id)) + ".");
        }
        var progress = new DoctorProgress(runner.GetProgressOutput(parsed), runner.Streams.Error, isLive: !runner.IsJson(parsed));
        var report = await DelegationDoctor.ExamineAsync(
            new DoctorRequest
            {
                Settings = settings,
                Applications = applications,
                User = ReadUser(parsed, _user),
                OtherUser = ReadUser(parsed, _otherUser),
                Token = await ExamineTokenAsync(parsed, options, settings, applications, log, cancellationToken),
                Only = only,
                CommandLine = GetCommandLine(parsed, config, applications),
                LoggerFactory = log,
            },
            progress.Report, cancellationToken);
        var result = DoctorResult.FromReport(report, config, progress.IsLive).CompareWith(earlier);
        return await WritePageAsync(result, page, cancellationToken);
    }

    /// <summary>Checks the path of the page before the checks are made.</summary>
    private string? ReadPagePath(ParseResult parsed)
    {
        if (parsed.GetValue(_html) is not { } path)
            return null;
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal)
            || Path.EndsInDirectorySeparator(path) || Directory.Exists(path))
        {
            throw new UsageException($"{_html.Name}: {PrintableText.Quoted(path)} is not the path of a file.");
        }
        return Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path)))
            ? path
            : throw new UsageException($"{_html.Name}: The directory of {PrintableText.Quoted(path)} does not exist.");
    }

    private static async Task<CommandResult> WritePageAsync(DoctorResult result, string? path, CancellationToken cancellationToken)
    {
        if (path is null)
            return result;
        await PrivateFile.ReplaceAsync(path, Encoding.UTF8.GetBytes(DoctorPage.Render(result)), cancellationToken);
        return result with { Page = path };
    }

    private DoctorUser? ReadUser(ParseResult parsed, Option<string> option)
    {
        if (parsed.GetValue(option) is not { } name)
            return null;
        var user = new DoctorUser(name, parsed.GetValue(_userRealm));
        try
        {
            _ = user.ToPrincipal("REALM");
            return user;
        }
        catch (ArgumentException refused)
        {
            throw UsageException.FromArgument(refused, $"{option.Name} or --user-realm: ");
        }
    }

    private async Task<TokenExamination?> ExamineTokenAsync(
        ParseResult parsed,
        KcdOptions options,
        KcdSettings settings,
        IReadOnlyList<string> applications,
        ILoggerFactory log,
        CancellationToken cancellationToken)
    {
        if (parsed.GetValue(_token) is not { } file)
            return null;
        var token = SecretInput.RemoveScheme(await SecretInput.ReadTokenAsync(_token.Name, file, runner.Streams, cancellationToken));
        await using var client = DelegationClient.Create(options, log);
        try
        {
            var caller = await client.ValidateTokenAsync(token, cancellationToken);
            var application = applications is [var first, ..] ? first : settings.Applications.Keys.Order(StringComparer.Ordinal).First();
            return new TokenExamination(await client.MapAsync(application, caller, cancellationToken), null, token.Length);
        }
        catch (KcdException failure)
        {
            return new TokenExamination(null, failure, token.Length);
        }
    }

    private string GetCommandLine(ParseResult parsed, string config, IReadOnlyList<string> applications)
    {
        List<string> words = ["kcd", "doctor", "--config", config];
        foreach (var application in applications)
            words.AddRange(["--app", application]);
        foreach (var option in new[] { _user, _userRealm, _otherUser, _token })
        {
            if (parsed.GetValue(option) is { } value)
                words.AddRange([option.Name, value]);
        }
        return string.Join(' ', words.Select(Quote));
    }

    /// <summary>Encloses a word in single quotes if a shell would read it differently.</summary>
    private static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '/' or '_' or '@' or ':' or '=' or ',')
            ? word
            : $"'{PrintableText.From(word, 1024).Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
