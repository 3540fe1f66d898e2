using System.CommandLine;
using System.CommandLine.Parsing;

namespace KcdDelegation.Tool.Settings;

/// <summary>Options whose text becomes a type of its own at the edge, with that type's explanation if it does not.</summary>
internal static class ParsedArgument
{
    /// <param name="option">Takes the parser.</param>
    /// <param name="parse">Throws <see cref="FormatException"/> with a text for the user.</param>
    public static Option<T> ParsedBy<T>(this Option<T> option, Func<string, T> parse)
    {
        option.CustomParser = result => Parse(result, option.Name, tokens => parse(tokens[0]));
        return option;
    }

    /// <inheritdoc cref="ParsedBy"/>
    public static Option<T[]> EachParsedBy<T>(this Option<T[]> option, Func<string, T> parse)
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
        catch (FormatException why)
        {
            result.AddError($"{option}: {why.Message}");
            return default;
        }
    }
}
