using System.Collections;
using System.Reflection;
using KcdDelegation.Fuzzing;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tests.Messages;

namespace KcdDelegation.Kerberos.Tests.Fuzz;

/// <summary>The decoders of ASN.1 messages, found by reflection, so that a new one is a row without being added here.</summary>
internal static class MessageDecoders
{
    /// <summary>Messages that <see cref="Samples"/> holds only inside others.</summary>
    private static readonly byte[][] s_parts =
    [
        MessageFormat.Encode(
            writer => AuthorizationDataEntry.WriteList(
            writer, [new AuthorizationDataEntry(AuthorizationDataEntry.IfRelevant, new byte[] { 0x30, 0 })])),
        S4UUserId.Create(7, Samples.User, "CONTOSO.TEST", S4UUserId.UseReplyKeyUsage).Encoded.ToArray(),
    ];

    public static IEnumerable<Decoder> All { get; } =
        from type in typeof(KrbError).Assembly.GetTypes()
        where type.Namespace == typeof(KrbError).Namespace
        from method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
        where method.Name.StartsWith("Decode", StringComparison.Ordinal) && !method.IsGenericMethod
        from decoder in Create(method)
        select decoder;

    private static IEnumerable<Decoder> Create(MethodInfo method)
    {
        var name = $"{method.DeclaringType!.Name}-{method.Name}";
        return method.GetParameters().Length == 1
            ? [Create(name, method.CreateDelegate<Func<ReadOnlyMemory<byte>, object>>, method)]
            : [.. new[] { KdcMessageType.AsReply, KdcMessageType.TgsReply }.Select(reply => Create($"{name}-{reply}", method, reply))];
    }

    private static Decoder Create(string name, Func<Func<ReadOnlyMemory<byte>, object>> create, MethodInfo method) =>
        // A delegate of a method that returns a number cannot return an object.
        Create(name, method.ReturnType.IsValueType ? bytes => Invoke(method, bytes) : create());

    private static Decoder Create(string name, MethodInfo method, KdcMessageType reply)
    {
        var decode = method.CreateDelegate<Func<KdcMessageType, ReadOnlyMemory<byte>, object>>();
        return Create(name, bytes => decode(reply, bytes));
    }

    private static Decoder Create(string name, Func<ReadOnlyMemory<byte>, object> decode)
    {
        string Decode(byte[] bytes) =>
            decode(bytes) is IEnumerable list ? string.Join('\u0020', list.Cast<object>()) : decode(bytes).ToString() ?? "";
        var samples = Samples.All.Values.Select(sample => sample.Bytes).Concat(s_parts).Where(bytes => Accepts(Decode, bytes)).ToList();
        return new Decoder(name, [typeof(KerberosException)], samples, Decode);
    }

    private static bool Accepts(Func<byte[], string> decode, byte[] bytes)
    {
        try
        {
            decode(bytes);
            return true;
        }
        catch (KerberosException)
        {
            return false;
        }
    }

    private static object Invoke(MethodInfo method, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return method.Invoke(null, [bytes])!;
        }
        catch (TargetInvocationException error)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error.InnerException!);
            throw;
        }
    }
}
