using System.CommandLine;
using System.CommandLine.Parsing;

namespace KcdDelegation.Tool.Commands;

/// <summary>The errors of the parser as messages that contain no value of an argument.</summary>
/// <remarks>A value can be a secret: a password with a space after <c>--password-file</c> arrives as two arguments, and a misspelt
/// option leaves its value behind. Only names of options, and the name in the position of a command, are shown.</remarks>
internal static class UsageErrors
{
    public static IReadOnlyList<string> Describe(ParseResult parsed)
    {
        var unmatched = parsed.UnmatchedTokens;
        var messages = parsed.Errors
            .Where(error => !IsAboutUnmatched(error, unmatched))
            .Select(error => DescribeError(error, isRoot: parsed.CommandResult.Command is RootCommand))
            .ToList();
        messages.AddRange(DescribeUnmatched(parsed, unmatched));
        return [.. messages.Distinct(StringComparer.Ordinal)];
    }

    private static bool IsAboutUnmatched(ParseError error, IReadOnlyList<string> unmatched) =>
        unmatched.Any(token => error.Message.Contains($"'{token}'", StringComparison.Ordinal));

    private static string DescribeError(ParseError error, bool isRoot) => error.SymbolResult switch
    {
        // Several values of a single-value option, or none at all: the parser's own message quotes no value.
        OptionResult { Implicit: false } option when option.Tokens.Count != 1 => option.Tokens.Count == 0
            ? $"{option.Option.Name}: The value is missing."
            : $"{option.Option.Name}: The option can be specified once only.",
        CommandResult when isRoot => "A command is required: demo, doctor, ticket, header, map or inspect.",
        ArgumentResult { Tokens.Count: 0 } argument => $"The argument {argument.Argument.Name} is required.",
        _ => error.Message,
    };

    private static IEnumerable<string> DescribeUnmatched(ParseResult parsed, IReadOnlyList<string> unmatched)
    {
        var isFirst = parsed.CommandResult.Command is RootCommand && unmatched.Count > 0 && unmatched[0] == parsed.Tokens[0].Value;
        if (isFirst && !unmatched[0].StartsWith('-'))
            yield return $"Unknown command: {unmatched[0]}";
        foreach (var option in unmatched.Where(token => token.StartsWith('-') && token.Length > 1))
            yield return $"Unknown option: {GetOptionName(option)}";
        if (unmatched.Skip(isFirst ? 1 : 0).Any(token => !token.StartsWith('-')))
            yield return "There are unexpected arguments. They are not shown, because they can be secrets. Quote values that contain "
                + "spaces.";
    }

    /// <summary>Returns the name of an option without the value that can follow it.</summary>
    private static string GetOptionName(string option)
    {
        if (option.StartsWith("--", StringComparison.Ordinal))
            return option.Split('=', ':')[0];
        return option.Length == 2 ? option : $"{option[..2]}… (a short option has one letter, and its value is a separate argument)";
    }
}
