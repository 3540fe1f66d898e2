using System.CommandLine;
using System.CommandLine.Parsing;

namespace KcdDelegation.Tool.Settings;

/// <summary>Extensions that parse the value of an option into its own type and report the parser's explanation on failure.</summary>
internal static class ParsedArgument
{
    /// <param name="option">The option.</param>
    /// <param name="parse">The parser. It throws <see cref="FormatException"/> with a message for the user.</param>
    public static Option<T> WithParser<T>(this Option<T> option, Func<string, T> parse)
    {
        option.CustomParser = result => Parse(result, option.Name, tokens => parse(tokens[0]));
        return option;
    }

    /// <inheritdoc cref="WithParser"/>
    public static Option<T[]> WithItemParser<T>(this Option<T[]> option, Func<string, T> parse)
    {
        option.CustomParser = result => Parse(result, option.Name, tokens => Array.ConvertAll(tokens, text => parse(text)));
        return option;
    }

    private static T? Parse<T>(ArgumentResult result, string option, Func<string[], T> parse)
    {
        try
        {
            return parse([.. result.Tokens.Select(token => token.Value)]);
        }
        catch (FormatException error)
        {
            result.AddError($"{option}: {error.Message}");
            return default;
        }
    }
}
