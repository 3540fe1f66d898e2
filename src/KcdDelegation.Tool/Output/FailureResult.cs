using System.CommandLine;
using System.Globalization;
using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>The result of a command that failed: stage, cause and remedy.</summary>
internal sealed record FailureResult : CommandResult
{
    private readonly ExitCode _exitCode;

    private FailureResult(ExitCode exitCode, FailureDetails error) => (_exitCode, Error) = (exitCode, error);

    public FailureDetails Error { get; }

    /// <summary>Returns the same failure with every text that can contain names converted.</summary>
    public FailureResult WithTexts(Func<string, string> convert) => new(_exitCode, Error with
    {
        Realm = Error.Realm is { } realm ? convert(realm) : null,
        Cause = convert(Error.Cause),
        Remedy = convert(Error.Remedy),
    });

    /// <param name="failure">The failure.</param>
    /// <param name="adapt">Converts the texts, which name settings, for the command line; null to keep them.</param>
    public static FailureResult FromFailure(KcdException failure, Func<string, string>? adapt = null)
    {
        var kerberos = failure.InnerException as KerberosException;
        return new FailureResult(HadNoAnswer(failure, kerberos) ? ExitCode.NoAnswer : ExitCode.Refused, new FailureDetails
        {
            Stage = failure.Stage.ToString().ToLowerInvariant(),
            Exchange = kerberos?.Exchange.ToString(),
            Code = kerberos?.CodeName,
            Number = (int?)kerberos?.Code,
            NtStatus = kerberos?.NtStatus is { } status ? string.Create(CultureInfo.InvariantCulture, $"0x{status:X8}") : null,
            Realm = kerberos?.Realm is { Length: > 0 } realm ? realm : null,
            Event = failure.EventId,
            Cause = adapt?.Invoke(failure.Cause) ?? failure.Cause,
            Remedy = adapt?.Invoke(failure.Remedy) ?? failure.Remedy,
            IsTransient = failure.IsTransient,
        });
    }

    public static FailureResult FromFile(Exception error) => new(ExitCode.Refused, new FailureDetails
    {
        Stage = "file",
        Cause = error.Message,
        Remedy = "Specify a file that this user can write, in an existing directory.",
    });

    /// <param name="message">What is wrong, and what to specify instead.</param>
    /// <param name="command">The command with the wrong arguments or settings.</param>
    public static FailureResult FromUsage(string message, Command command) => new(ExitCode.WrongUsage, new FailureDetails
    {
        Stage = "usage",
        Cause = message,
        Remedy = $"See: {GetHelp(command)}",
    });

    public static FailureResult CreateInterrupted() => new(ExitCode.Interrupted, new FailureDetails
    {
        Stage = "interrupted",
        Cause = "interrupted",
        Remedy = "Run the command again.",
    });

    /// <summary>Gets the command line that prints the help of a command.</summary>
    public static string GetHelp(Command command) => command is RootCommand ? "kcd --help" : $"kcd {command.Name} --help";

    public override ExitCode ToExitCode() => _exitCode;

    /// <summary>Returns whether no KDC answered. A KDC that reports that it is busy has answered.</summary>
    private static bool HadNoAnswer(KcdException failure, KerberosException? kerberos) =>
        kerberos is null
            ? failure.IsTransient
            : kerberos.Reason is KerberosFailureReason.KdcNotFound or KerberosFailureReason.KdcUnreachable;

    public override void WriteText(OutputStream output)
    {
        if (_exitCode is ExitCode.WrongUsage or ExitCode.Interrupted)
        {
            var lines = Error.Cause.Split(Environment.NewLine).Select(LabelledLines.ToPrintable);
            output.Writer.WriteLine($"kcd: {string.Join(Environment.NewLine, lines)}");
            if (_exitCode == ExitCode.WrongUsage)
                output.Writer.WriteLine(Error.Remedy);
            return;
        }
        var fields = new LabelledLines { { "stage", Error.Exchange is null ? Error.Stage : $"{Error.Stage} ({Error.Exchange})" } };
        if (Error.Number is { } number)
            fields.Add("code", $"{Error.Code} ({number}){(Error.NtStatus is null ? "" : $", NTSTATUS {Error.NtStatus}")}");
        if (Error.Realm is not null)
            fields.Add("realm", Error.Realm);
        fields.Add("cause", Error.Cause);
        fields.Add("remedy", Error.Remedy);
        if (Error.Event is { } eventNumber)
            fields.Add("event", eventNumber.ToString(CultureInfo.InvariantCulture));
        output.Writer.WriteLine(_exitCode == ExitCode.NoAnswer ? "kcd: no answer" : "kcd: refused");
        fields.Write(output);
    }
}

/// <summary>The member <c>error</c> of the JSON output.</summary>
internal sealed record FailureDetails
{
    public required string Stage { get; init; }

    /// <summary>A name of <see cref="KerberosExchange"/>.</summary>
    public string? Exchange { get; init; }

    /// <summary>The name of the code in the RFC.</summary>
    public string? Code { get; init; }

    public int? Number { get; init; }

    public string? NtStatus { get; init; }

    public string? Realm { get; init; }

    public int? Event { get; init; }

    public required string Cause { get; init; }

    public required string Remedy { get; init; }

    /// <summary>Whether a later attempt may succeed without a change.</summary>
    public bool IsTransient { get; init; }
}
